// `steelyard doctor`: what this installation can do. Reads nothing of the user's and asks no network.
import { arch, availableParallelism, platform, release } from 'node:os';
import { Command } from 'commander';
import { SteelyardError } from '../../rules/error.ts';
import { PACKAGE_ROOT, VERSION } from '../../runtime/package.ts';
import { peersHere } from '../../runtime/peer.ts';
import { native } from '../../scan/measure/native.ts';
import { run } from '../run.ts';

const HELP = `
Exit codes:
  0    the native code is there: models can be scanned
  2    it is not; the last lines say what to do
`;

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('say what this installation can do: native code, kernels, dtypes, optional packages')
    .description('Says what this installation can do.')
    .addHelpText('after', HELP)
    .action(() =>
      run(async ({ write }) => {
        const [lines, code] = addonLines();
        await write(undefined, [`${[...machineLines(), ...lines, ...peerLines()].join('\n')}\n`]);
        return code;
      }),
    );
}

const machineLines = (): string[] => [
  `steelyard  ${VERSION} in ${PACKAGE_ROOT}`,
  `node       ${process.version}, N-API ${process.versions.napi ?? 'unknown'}`,
  `machine    ${platform()} ${arch()}, kernel ${release()}, ${availableParallelism()} cores`,
];

function addonLines(): [lines: string[], code: number] {
  try {
    const addon = native();
    const dtypes = addon.dtypes().map(([name]) => name);
    return [
      [`kernels    ${addon.kernels().join(', ')}`, `dtypes     ${dtypes.length}: ${dtypes.join(' ')}`],
      0,
    ];
  } catch (error) {
    if (!(error instanceof SteelyardError)) throw error;
    return [[`kernels    none: ${error.message}`], 2];
  }
}

const peerLines = (): string[] => [
  'optional packages, loaded when a command needs them',
  ...peersHere().map(
    ({ name, wanted, version }) =>
      `  ${name.padEnd(36)}${version ?? `not here; npm install ${name}@${wanted}`}`,
  ),
];
