// How `--key` names a key that is in no file. The schemes of cosign mean here what they mean there.
import { SteelyardError } from '../../rules/error.ts';

type KeyScheme = 'pkcs11' | 'awskms' | 'command' | 'env';

/** Of cosign, and not spoken here: a program that speaks to them signs instead. */
const OTHERS = /^(gcpkms|azurekms|hashivault|openbao|k8s|gitlab):\/\//;
const OURS = /^(pkcs11|awskms|command|env):/;

/** null: the path of a file; one that is called so is written ./pkcs11:… Throws USAGE: a key that only other tools reach. */
export function schemeOf(key: string): KeyScheme | null {
  const [, other] = OTHERS.exec(key) ?? [];
  if (other !== undefined)
    throw new SteelyardError(
      'USAGE',
      `${other}:// keys sign through a program: --key command:PROGRAM, see docs/keys.md`,
    );
  return (OURS.exec(key)?.[1] as KeyScheme | undefined) ?? null;
}
