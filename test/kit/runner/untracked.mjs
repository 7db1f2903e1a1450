// tap loads a tracker of modules into every thread and process that a test starts, for coverage and `--changed`, which nobody asks
// for here. In threads it costs more than what they are started for: with it the tests take twice as long and more.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const trackers = createRequire(import.meta.resolve('@tapjs/processinfo'));
trackers('process-on-spawn').removeAllListeners();
delete process.env.NODE_OPTIONS;

const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--import='));
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(file, options) {
    super(file, { ...options, execArgv: options?.execArgv ?? execArgv });
  }
};
syncBuiltinESMExports();
