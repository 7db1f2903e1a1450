// What runs in a process of its own: the measure stage as in any other, one file after the other, for the parent that forked
// it. Errors go back as plain objects, because they lose their fields on the way between processes.
import { on, once } from 'node:events';
import { SteelyardError } from '../../../rules/error.ts';
import { measureFiles } from '../measure.ts';
import type { IsolatedJob, IsolatedReply } from './message.ts';

const send = (reply: IsolatedReply): void => void process.send!(reply);

// The parent is gone, and with it whoever waits. This holds for a native call that hangs, too.
void once(process, 'disconnect').then(() => process.kill(process.pid, 'SIGKILL'));

for await (const [job] of on(process, 'message')) send(await measured(job as IsolatedJob));

async function measured({ entry, io, wanted }: IsolatedJob): Promise<IsolatedReply> {
  const onProgress = ({ bytesDone, bytesTotal }: { bytesDone: number; bytesTotal: number }): void =>
    send({ kind: 'progress', bytesDone, bytesTotal });
  try {
    const { files, errors } = await measureFiles([entry], { io, ...wanted, threads: 1, onProgress }, true);
    return files[0] === undefined ? failure(errors[0]!) : { kind: 'file', file: files[0] };
  } catch (error) {
    if (error instanceof SteelyardError) return failure(error);
    return { kind: 'failure', code: 'INTERNAL', message: String(error), file: entry.path };
  }
}

function failure({ code, message, file, offset, errno }: SteelyardError): IsolatedReply {
  return {
    kind: 'failure',
    code,
    message,
    ...(file === undefined ? {} : { file }),
    ...(offset === undefined ? {} : { offset }),
    ...(errno === undefined ? {} : { errno }),
  };
}
