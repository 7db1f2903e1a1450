// Every command but scan, with its help. A gate starts once for every file, so only the one that is asked for is loaded.
import { Command } from 'commander';
import { BASELINE_HELP, FETCH_HELP, helpOf, PEEK_HELP, PROOF_HELP } from './help.ts';

interface Entry {
  readonly name: string;
  /** What it is for, as the help and the documents group commands. */
  readonly group: 'Look' | 'Approve' | 'Prove' | 'Promote' | 'Serve' | 'Fetch';
  readonly help?: string;
  load(): Promise<Command>;
}

/** In the order of the help. */
const COMMANDS: readonly Entry[] = [
  {
    name: 'profile',
    group: 'Approve',
    help: BASELINE_HELP,
    load: async () => (await import('./approve/profile-command.ts')).profileCommand(),
  },
  {
    name: 'check',
    group: 'Look',
    help: BASELINE_HELP,
    load: async () => (await import('./look/scan-command.ts')).checkCommand(),
  },
  { name: 'diff', group: 'Look', load: async () => (await import('./look/diff-command.ts')).diffCommand() },
  {
    name: 'convert',
    group: 'Look',
    load: async () => (await import('./look/convert-command.ts')).convertCommand(),
  },
  { name: 'policy', group: 'Approve', load: loadPolicy },
  {
    name: 'schema',
    group: 'Look',
    load: async () => (await import('./look/schema-command.ts')).schemaCommand(),
  },
  {
    name: 'sign',
    group: 'Prove',
    help: PROOF_HELP,
    load: async () => (await import('./prove/sign-command.ts')).signCommand(),
  },
  {
    name: 'verify',
    group: 'Prove',
    help: PROOF_HELP,
    load: async () => (await import('./prove/verify-command.ts')).verifyCommand(),
  },
  {
    name: 'attest',
    group: 'Prove',
    help: PROOF_HELP,
    load: async () => (await import('./prove/attest-command.ts')).attestCommand(),
  },
  { name: 'bom', group: 'Prove', load: loadBom },
  { name: 'key', group: 'Prove', load: async () => (await import('./prove/key-command.ts')).keyCommand() },
  {
    name: 'canary',
    group: 'Promote',
    load: async () => (await import('./promote/canary-command.ts')).canaryCommand(),
  },
  { name: 'lint', group: 'Serve', load: async () => (await import('./serve/lint-command.ts')).lintCommand() },
  {
    name: 'pull',
    group: 'Fetch',
    help: FETCH_HELP,
    load: async () => (await import('./fetch/pull-command.ts')).pullCommand(),
  },
  {
    name: 'lock',
    group: 'Fetch',
    help: FETCH_HELP,
    load: async () => (await import('./fetch/lock-command.ts')).lockCommand(),
  },
  {
    name: 'peek',
    group: 'Fetch',
    help: PEEK_HELP,
    load: async () => (await import('./fetch/peek-command.ts')).peekCommand(),
  },
  {
    name: 'provenance',
    group: 'Serve',
    load: async () => (await import('./serve/provenance-command.ts')).provenanceCommand(),
  },
  {
    name: 'drift',
    group: 'Serve',
    load: async () => (await import('./serve/drift-command.ts')).driftCommand(),
  },
  {
    name: 'gate',
    group: 'Promote',
    load: async () => (await import('./promote/gate-command.ts')).gateCommand(),
  },
  {
    name: 'approve',
    group: 'Promote',
    load: async () => (await import('./promote/approve-command.ts')).approveCommand(),
  },
  {
    name: 'evidence',
    group: 'Promote',
    load: async () => (await import('./promote/evidence-command.ts')).evidenceCommand(),
  },
  {
    name: 'drill',
    group: 'Promote',
    load: async () => (await import('./promote/incident/drill-command.ts')).drillCommand(),
  },
  {
    name: 'find',
    group: 'Promote',
    load: async () => (await import('./promote/incident/find-command.ts')).findCommand(),
  },
  {
    name: 'recall',
    group: 'Promote',
    load: async () => (await import('./promote/incident/recall-command.ts')).recallCommand(),
  },
  {
    name: 'layout',
    group: 'Promote',
    load: async () => (await import('./promote/layout-command.ts')).layoutCommand(),
  },
  {
    name: 'link',
    group: 'Promote',
    load: async () => (await import('./promote/layout-command.ts')).linkCommand(),
  },
  { name: 'egress', group: 'Serve', load: loadEgress },
  {
    name: 'template',
    group: 'Look',
    load: async () => (await import('./look/template-command.ts')).templateCommand(),
  },
  {
    name: 'rules',
    group: 'Look',
    load: async () => (await import('./look/rules-command.ts')).rulesCommand(),
  },
  {
    name: 'demo',
    group: 'Look',
    load: async () => (await import('./look/demo/demo-command.ts')).demoCommand(),
  },
  {
    name: 'doctor',
    group: 'Look',
    load: async () => (await import('./look/doctor-command.ts')).doctorCommand(),
  },
  {
    name: 'completion',
    group: 'Look',
    load: async () =>
      (await import('./look/completion-command.ts')).completionCommand((program) =>
        addCommands(program, undefined),
      ),
  },
  {
    name: 'explain',
    group: 'Look',
    load: async () => (await import('./look/rules-command.ts')).explainCommand(),
  },
];

/** The names of all commands but scan. */
export const COMMAND_NAMES: readonly string[] = COMMANDS.map(({ name }) => name);

/** Adds the command of that name; all of them where there is none, for the help and for suggestions. */
export async function addCommands(program: Command, name: string | undefined): Promise<void> {
  const named = COMMANDS.filter((entry) => entry.name === name);
  for (const { group, help, load } of named.length > 0 ? named : COMMANDS) {
    const command = (await load()).helpGroup(`${group}:`);
    for (const one of [command, ...command.commands]) one.copyInheritedSettings(program);
    program.addCommand(
      help === undefined ? command : command.addHelpText('after', helpOf(help, command.name())),
    );
  }
}

async function loadPolicy(): Promise<Command> {
  const { policyCommands } = await import('./approve/policy-command.ts');
  const policy = new Command('policy').description('write and try out a policy: what a model must be');
  return withCommands(policy, policyCommands(), BASELINE_HELP);
}

async function loadBom(): Promise<Command> {
  const { bomCommands } = await import('./prove/bom-command.ts');
  const bom = new Command('bom').description('declare what a model is made of: the MBOM');
  return withCommands(bom, bomCommands(), PROOF_HELP);
}

async function loadEgress(): Promise<Command> {
  const { egressCommands } = await import('./serve/egress-command.ts');
  const purpose = 'declare what a server may connect to, write it for proxies, prove it';
  const egress = new Command('egress').description(purpose);
  for (const command of egressCommands()) egress.addCommand(command);
  return egress;
}

function withCommands(parent: Command, commands: readonly Command[], help: string): Command {
  for (const command of commands)
    parent.addCommand(command.addHelpText('after', helpOf(help, `${parent.name()} ${command.name()}`)));
  return parent.addHelpText('after', helpOf(help, parent.name()));
}
