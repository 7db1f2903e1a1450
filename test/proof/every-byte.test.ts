// Every byte of a small model, of its signature, of its MBOM and of the MBOM's signature, flipped in turn: never verified.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Test, test } from 'tap';
import {
  createMbom,
  digestModel,
  signDocument,
  signModel,
  type Trust,
  verify,
  verifyDocument,
  verifyMbom,
} from '../../src/index.ts';
import { pair } from '../kit/specimen/forgery.ts';

const scratch = mkdtempSync(join(tmpdir(), 'steelyard-flipped-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const HEADER = Buffer.from('{"w":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}');
const LENGTH = Buffer.alloc(8);
LENGTH.writeUInt32LE(HEADER.length);
const MODEL = new Map([
  ['config.json', Buffer.from('{"a":1}')],
  ['model.safetensors', Buffer.concat([LENGTH, HEADER, Buffer.from('weights!')])],
  ['sub/notes.md', Buffer.from('# Notes')],
]);
for (const [path, content] of MODEL) {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), content);
}
const KEY = pair();
const TRUST: Trust = { method: 'key', publicKey: KEY.public };
const { files: FILES, tensors } = await digestModel(scratch);
const SIGNATURE = Buffer.from(signModel(FILES, { privateKey: KEY.secret }, { name: 'm' }).bundle);
const MBOM = Buffer.from(createMbom(FILES, { name: 'm', tensors }));

/** Tries `verified` with each byte changed by each mask. */
function flip(
  t: Test,
  bytes: Buffer,
  masks: readonly number[],
  verified: (flipped: Buffer, at: number) => boolean,
): void {
  t.ok(verified(bytes, -1), 'verified as it is');
  let tried = 0;
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of masks) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= mask;
      tried++;
      if (verified(flipped, at)) t.fail(`byte ${at} ^ ${mask}`);
    }
  }
  t.ok(tried >= bytes.length, `${tried} flips`);
}

/** A bundle ends in a line break; another blank in its place is the same document. */
const isBlankAtEnd = (flipped: Buffer, at: number): boolean =>
  at === flipped.length - 1 && /^\s$/.test(String.fromCharCode(flipped[at]!));

test('the files', async (t) => {
  const bundle = Buffer.from(signDocument(MBOM, { privateKey: KEY.secret }));
  let tried = 0;
  for (const [path, content] of MODEL) {
    for (let at = 0; at < content.length; at++) {
      const flipped = Buffer.from(content);
      flipped[at]! ^= 1;
      writeFileSync(join(scratch, path), flipped);
      const { files, errors } = await digestModel(scratch, { threads: 1 });
      tried++;
      t.same(errors, []);
      const outcomes = [
        verify(files, SIGNATURE, TRUST),
        verifyMbom(MBOM, files),
        verifyMbom(MBOM, files, { signature: { bundle, trust: TRUST } }),
      ];
      for (const outcome of outcomes)
        t.match(
          outcome,
          { verified: false, refusals: [{ code: 'DIGEST_MISMATCH', file: path }] },
          `byte ${at}`,
        );
    }
    writeFileSync(join(scratch, path), content);
  }
  t.equal(
    tried,
    [...MODEL.values()].reduce((sum, { length }) => sum + length, 0),
  );
  const { files } = await digestModel(scratch);
  t.ok(verify(files, SIGNATURE, TRUST).verified, 'and as it was, it is verified');
});

test('the signature of the model', (t) => {
  flip(
    t,
    SIGNATURE,
    [0x01, 0x20, 0x80],
    (flipped, at) => !isBlankAtEnd(flipped, at) && verify(FILES, flipped, TRUST).verified,
  );
  t.end();
});

test('the MBOM and its signature, on each curve', (t) => {
  for (const curve of ['prime256v1', 'secp384r1', 'secp521r1']) {
    const key = pair(curve);
    const trust: Trust = { method: 'key', publicKey: key.public };
    const bundle = Buffer.from(signDocument(MBOM, { privateKey: key.secret }));
    flip(
      t,
      MBOM,
      [0x01],
      (flipped) => verifyMbom(flipped, FILES, { signature: { bundle, trust }, tensors }).verified,
    );
    flip(
      t,
      bundle,
      [0x01, 0x20],
      (flipped, at) => !isBlankAtEnd(flipped, at) && verifyDocument(MBOM, flipped, trust).verified,
    );
  }
  t.end();
});
