// Histories of drift: JSON lines in a file that only grows.
import { open } from 'node:fs/promises';

/** After a crash of the machine a record is there, or it is not there at all. */
export async function appendLine(path: string, line: string): Promise<void> {
  const handle = await open(path, 'a', 0o600);
  try {
    await handle.writeFile(line);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
