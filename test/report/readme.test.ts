// The report that README shows is the one that the command prints today.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';

const SHOWN = /( {4}\$ steelyard (scan fixtures\/real\/tiny-lora)\n)((?: {4}.*\n|\n(?= {4}))*)/;

test('the report in README', async (t) => {
  const path = join(packageRoot, 'README.md');
  const text = readFileSync(path, 'utf8');
  const [, command, args, shown] = SHOWN.exec(text)!;
  const { stdout, code } = await steelyard(args!.split(' '));
  t.equal(code, 0);
  const indented = stdout.replace(/^(?=.)/gm, '    ');
  if (process.env.STEELYARD_UPDATE_GOLDEN === '1')
    writeFileSync(
      path,
      text.replace(SHOWN, () => `${command}${indented}`),
    );
  else t.equal(shown, indented);
});
