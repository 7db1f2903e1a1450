// SLSA provenance v1: which builder made the image, when, and from what.
import type { Foreign } from '../claim/foreign.ts';
import type { Build } from './evidence.ts';

export function readBuild(predicate: Foreign): Build {
  const definition = predicate.get('buildDefinition');
  definition.get('buildType').text();
  const run = predicate.get('runDetails');
  const metadata = run.get('metadata');
  const parameters = definition.get('externalParameters');
  const dependencies = definition.get('resolvedDependencies').maybeList();
  return {
    builder: run.get('builder').get('id').text(),
    time: metadata.absent ? null : metadata.get('finishedOn').time(),
    sources: [
      ...(parameters.absent ? [] : parameters.entries().flatMap(([, one]) => uriOf(one))),
      ...dependencies.flatMap((one) => one.get('uri').maybeText() ?? []),
    ],
  };
}

const uriOf = ({ value }: Foreign): string[] => (typeof value === 'string' ? [value] : []);
