// Report → what the page carries. From here on there is no foreign string that is not inert.
import { inert } from '../../document/text/inert.ts';
import type { Conclusion, DiffReport, Side, TensorPlace } from '../report/diff-report.ts';
import { adapterOf } from './adapter-data.ts';
import { chosen, columnsOf, detailsOf, typed } from './columns.ts';
import type { PageConclusion, PageData, PagePlace, PageSide } from './contract.ts';
import { capped, sentence, short } from './cut.ts';

/** Entries of a list; the page says how many there are in all. */
const ENTRIES = 1000;
/** Tensors named with one conclusion. */
const NAMED = 200;

export function pageData(report: DiffReport): PageData {
  const tensors = chosen(report);
  const at = new Map(tensors.map(({ suspect }, index) => [suspect.name, index]));
  return {
    version: report.tool.version,
    outcome: report.outcome,
    complete: report.complete,
    good: sideOf(report.good),
    suspect: sideOf(report.suspect),
    conclusions: capped(report.conclusions, ENTRIES, (conclusion) => conclusionOf(conclusion, at)),
    structure: capped(report.structure, ENTRIES, ({ kind, good, suspect }) => ({
      kind,
      good: good && placeOf(good),
      suspect: suspect && placeOf(suspect),
    })),
    files: capped(report.files, ENTRIES, ({ path, good, suspect }) => ({
      path: inert(path),
      good: inertOrNull(good),
      suspect: inertOrNull(suspect),
    })),
    metadata: capped(report.metadata, ENTRIES, ({ file, key, good, suspect }) => ({
      file: inert(file),
      key: inert(key),
      good: inertOrNull(good),
      suspect: inertOrNull(suspect),
    })),
    tensors: columnsOf(tensors),
    changed: report.tensors.length,
    identical: report.identical,
    details: detailsOf(report, tensors),
    adapter: report.adapter && adapterOf(report.adapter),
    errors: capped(report.errors, ENTRIES, ({ code, file, message, errno }) => ({
      code: errno === undefined ? code : `${code} (${inert(errno)})`,
      file: file === '' ? '' : inert(file),
      message: sentence(message),
    })),
  };
}

const inertOrNull = (text: string | null): string | null => (text === null ? null : inert(text));

const placeOf = (place: TensorPlace): PagePlace => ({
  name: inert(place.name),
  file: inert(place.file),
  type: typed(place),
});

const sideOf = ({ files, tensorCount, count, size }: Side): PageSide => ({
  files: capped(files, ENTRIES, ({ path, format, size, sha256 }) => ({
    path: inert(path),
    format,
    size,
    sha256,
  })),
  tensorCount,
  count,
  size,
});

function conclusionOf(conclusion: Conclusion, at: ReadonlyMap<string, number>): PageConclusion {
  const { kind, concern, message, caveat, evidence, tensors } = conclusion;
  return {
    kind,
    concern,
    message: sentence(message),
    caveat: sentence(caveat),
    evidence: evidence.map(({ name, value, limit }) => ({
      name: inert(name),
      value: short(value, 6),
      ...(limit === undefined ? {} : { limit: inert(limit) }),
    })),
    tensors: capped(tensors, NAMED, (name) => ({ name: inert(name), at: at.get(name) ?? -1 })),
  };
}
