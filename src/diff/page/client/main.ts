// Draws the page from the data that it carries.
import { bytes, counted, grouped } from '../../../document/text/quantity.ts';
import type { PageData } from '../contract.ts';
import { element, section } from './part/element.ts';
import { headline } from './part/words.ts';
import { adapterSection } from './section/adapter-view.ts';
import { changeSections, errorSection } from './section/changes.ts';
import { detailOf } from './section/detail-view.ts';
import { conclusionsSection, header } from './section/heading.ts';
import { heatMap } from './section/heatmap.ts';
import { foremost, marksOf, tensorTable } from './section/tensor-table.ts';

const data: PageData = JSON.parse(document.getElementById('report')!.textContent);
document.title = `${headline(data).text} · Steelyard diff`;
document.body.append(header(data), element('main', {}, ...parts().filter((part) => part !== null)), footer());

function parts(): (HTMLElement | null)[] {
  const closer = element('div', { class: 'detail', id: 'tensor' });
  const map = heatMap('Relative change', '‖Δ‖ / ‖good‖, module by layer.', marksOf(data.tensors), show);
  function show(at: number): void {
    map.press(at);
    closer.replaceChildren(...detailOf(data, at));
  }
  function visit(at: number): void {
    show(at);
    closer.scrollIntoView({ block: 'start' });
    closer.querySelector('h3')?.focus({ preventScroll: true });
  }
  const first = foremost(data);
  if (first >= 0) show(first);
  return [
    errorSection(data.errors),
    conclusionsSection(data.conclusions, visit),
    data.adapter && adapterSection(data.adapter),
    first < 0 ? null : section('map', 'Where it changed', map.drawing, closer),
    first < 0 ? null : section('tensors', 'Changed tensors', tensorTable(data, visit)),
    ...changeSections(data),
  ];
}

/** How much was looked at. "Could not look" must never read like "nothing there". */
function footer(): HTMLElement {
  const { good, suspect, identical, changed, errors, complete, version } = data;
  const looked = [good, suspect].map(
    ({ files, size, tensorCount, count }) =>
      `${counted(files.total, 'file')}, ${bytes(size)}, ${counted(tensorCount, 'tensor')}, ${grouped(count)} elements`,
  );
  const end = complete
    ? 'Everything was looked at.'
    : `NOT COMPLETE: ${counted(errors.total, 'error')}; what is not listed as changed may be.`;
  return element(
    'footer',
    {},
    element(
      'p',
      {},
      `Looked at: good ${looked[0]}; suspect ${looked[1]}. ${grouped(identical)} identical, ${grouped(changed)} changed. ${end}`,
    ),
    element(
      'p',
      {},
      `Backslashes in names are escapes of characters that are invisible or would change the text around them. “No anomaly found” is not “clean”: a change that training could have made looks like training. Steelyard ${version}.`,
    ),
  );
}

// Paper has no clicks.
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});
