// The bytes of an open file, from its beginning: short reads go on, and a file that became shorter gives what there is.
import { readSync } from 'node:fs';

export function readAll(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let done = 0;
  while (done < size) {
    const got = readSync(descriptor, bytes, done, size - done, done);
    if (got === 0) break;
    done += got;
  }
  return bytes.subarray(0, done);
}
