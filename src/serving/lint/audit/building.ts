// What a build takes from outside, and whether it would notice that it was changed.

import type { Fact } from '../../yaml/place.ts';
import {
  type Container,
  flagOf,
  isPiped,
  isVerifier,
  split,
  type Words,
  type Workload,
} from '../container/container.ts';
import type { Build } from '../form/form.ts';
import { about as aboutContainer, type Broken } from './broken.ts';
import { imageFindings } from './images.ts';
import { downloadFindings, isWeights } from './model-source.ts';
import { buildSecrets } from './secret.ts';

type Say = ReturnType<typeof aboutContainer>;

export function checkBuild(build: Build, workload: Workload | undefined): Broken[] {
  const say: Say =
    workload === undefined
      ? (rule, at, said) => ({
          rule,
          at,
          object: '',
          ...(typeof said === 'string' ? { message: said } : said),
        })
      : aboutContainer(workload, { name: '' } as Container);
  return [
    ...build.images.flatMap((image) => imageFindings(image, say)),
    ...build.scripts.flatMap((script) => scriptFindings(script, say)),
    ...build.added.flatMap(({ value, at, checked }) =>
      checked || !isWeights(value)
        ? []
        : [
            say('model/mutable-source', at, {
              message: 'weights are added without --checksum',
              actual: value,
            }),
          ],
    ),
    ...buildSecrets(build).map(({ at, message }) => say('secret/literal', at, message)),
  ];
}

function scriptFindings({ value, at }: Fact<string>, say: Say): Broken[] {
  const commands = split(value, at);
  const found: Broken[] = [];
  for (const [i, words] of commands.entries()) {
    const install = pipInstall(words);
    if (install !== null) found.push(...pipFindings(install, at, say));
    if (isPiped(words) && isFetch(commands[i - 1]))
      found.push(say('build/piped', at, 'what a server sends is run at once'));
  }
  const once = found.filter(({ rule }, i) => found.findIndex((other) => other.rule === rule) === i);
  return commands.some(isVerifier) ? once : [...once, ...downloadFindings(commands, say)];
}

const isFetch = (words: Words | undefined): boolean =>
  words?.some(({ value }) => /(?:^|\/)(?:curl|wget)$/.test(value)) === true;

/** The words after `install`, of pip and of uv's pip. */
function pipInstall(words: Words): Words | null {
  const names = words.map(({ value }) => value.split('/').at(-1)!);
  const pip = names.findIndex((name) => /^pip(?:3(?:\.\d+)?)?$/.test(name));
  return pip >= 0 && names[pip + 1] === 'install' ? words.slice(pip + 2) : null;
}

function pipFindings(words: Words, at: Fact<string>['at'], say: Say): Broken[] {
  const found: Broken[] = [];
  const index = flagOf(words, '--extra-index-url', '--trusted-host');
  if (index !== null)
    found.push(
      say('build/index', at, {
        message: 'pip takes packages from a second or an untrusted index',
        actual: index.value ?? '',
      }),
    );
  // A project of its own, an upgrade of nothing and a wheel beside it come from no index.
  const named = words.filter(({ value }) => !/^[-.~/]|\.whl$|\.txt$|\.tar\.gz$/.test(value));
  const listed = flagOf(words, '-r', '--requirement') !== null;
  if (
    (listed || named.length > 0) &&
    flagOf(words, '--require-hashes') === null &&
    !words.some(({ value }) => value === '--no-index')
  )
    found.push(say('build/unhashed', at, 'pip installs without --require-hashes'));
  return found;
}
