// A token as pkcs11js lets us use it: opened, unlocked, asked, closed. Its module is code of the machine's owner, and runs in this
// process.
import { SteelyardError } from '../../../rules/error.ts';
import { peer } from '../../../runtime/peer.ts';
import type { TokenUri } from './pkcs11-uri.ts';

type Handle = Buffer;
type Attribute = { type: number; value?: Buffer | number | boolean };

interface Module {
  load(path: string): void;
  close(): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(present: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): TokenInfo;
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, user: number, pin?: string): void;
  C_FindObjectsInit(session: Handle, template: Attribute[]): void;
  C_FindObjects(session: Handle, most: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: Attribute[]): { value: Buffer }[];
  C_SignInit(session: Handle, mechanism: { mechanism: number }, key: Handle): void;
  C_Sign(session: Handle, data: Buffer, out: Buffer): Buffer;
}

interface TokenInfo {
  readonly label: string;
  readonly manufacturerID: string;
  readonly model: string;
  readonly serialNumber: string;
  readonly flags: number;
}

interface Pkcs11js {
  readonly PKCS11: new () => Module;
}

// Of PKCS#11 2.40, pkcs11t.h.
export const CKA = {
  class: 0x000,
  label: 0x003,
  value: 0x011,
  keyType: 0x100,
  id: 0x102,
  sign: 0x108,
  ecParams: 0x180,
  ecPoint: 0x181,
} as const;
export const CKO = { certificate: 1, publicKey: 2, privateKey: 3 } as const;
const [SERIAL_SESSION, USER, CONTEXT_USER, ECDSA] = [0x4, 1, 2, 0x1041];
const [LOGIN_REQUIRED, PROTECTED_PATH, INITIALIZED] = [0x4, 0x100, 0x400];
/** Of one label or id: more than one is one too many. */
const MOST_FOUND = 16;

export class Session {
  readonly #module: Module;
  readonly #session: Handle;
  readonly #pin: string | undefined;

  constructor(module: Module, session: Handle, pin: string | undefined) {
    this.#module = module;
    this.#session = session;
    this.#pin = pin;
  }

  find(template: Attribute[]): Handle[] {
    this.#module.C_FindObjectsInit(this.#session, template);
    try {
      return this.#module.C_FindObjects(this.#session, MOST_FOUND);
    } finally {
      this.#module.C_FindObjectsFinal(this.#session);
    }
  }

  /** null: the object has no such attribute, or does not tell it. */
  attribute(object: Handle, type: number): Buffer | null {
    try {
      return this.#module.C_GetAttributeValue(this.#session, object, [{ type }])[0]!.value;
    } catch {
      return null;
    }
  }

  /** r‖s. `again`: the key asks for the PIN before every signature. */
  sign(key: Handle, digest: Buffer, again: boolean): Buffer {
    this.#module.C_SignInit(this.#session, { mechanism: ECDSA }, key);
    if (again) this.#module.C_Login(this.#session, CONTEXT_USER, this.#pin);
    return this.#module.C_Sign(this.#session, digest, Buffer.alloc(256));
  }
}

/** Opens the one token that the address names, asks, and closes it. Throws USAGE, UNAUTHORIZED, IO; never with the PIN. */
export async function withToken<T>(
  uri: TokenUri,
  modulePath: string,
  pin: string | undefined,
  ask: (session: Session) => T,
): Promise<T> {
  const package_ = await peer<Pkcs11js & { default?: Pkcs11js }>('pkcs11js', 'a key in a PKCS#11 token');
  const module = new (package_.default ?? package_).PKCS11();
  told(`the module ${modulePath} cannot be loaded`, () => module.load(modulePath));
  try {
    told(`the module ${modulePath} does not start`, () => module.C_Initialize());
    const slot = slotOf(module, uri);
    const session = told('the token opens no session', () => module.C_OpenSession(slot, SERIAL_SESSION));
    logIn(module, slot, session, pin);
    try {
      return told('the token does not do what it is asked', () => ask(new Session(module, session, pin)));
    } finally {
      module.C_CloseSession(session);
    }
  } finally {
    finalized(module);
  }
}

function finalized(module: Module): void {
  try {
    module.C_Finalize();
  } catch {
    // It was never initialised, or is gone: there is nothing left to end.
  }
  module.close();
}

function slotOf(module: Module, uri: TokenUri): Handle {
  const slots = module.C_GetSlotList(true).filter((slot) => {
    const info = module.C_GetTokenInfo(slot);
    const is = (wanted: string | null, actual: string): boolean =>
      wanted === null || wanted === actual.trim();
    return (
      (info.flags & INITIALIZED) !== 0 &&
      is(uri.token, info.label) &&
      is(uri.manufacturer, info.manufacturerID) &&
      is(uri.model, info.model) &&
      is(uri.serial, info.serialNumber) &&
      (uri.slotId === null || Number(slot.readBigUInt64LE()) === uri.slotId)
    );
  });
  if (slots.length === 1) return slots[0]!;
  const message =
    slots.length === 0
      ? 'no token is the one that the address names: see `pkcs11-tool --list-token-slots`'
      : `${slots.length} tokens are the one that the address names: name token=, serial= or slot-id=`;
  throw new SteelyardError(slots.length === 0 ? 'NOT_FOUND' : 'USAGE', message);
}

function logIn(module: Module, slot: Handle, session: Handle, pin: string | undefined): void {
  const { flags } = module.C_GetTokenInfo(slot);
  if ((flags & LOGIN_REQUIRED) === 0) return;
  const padded = (flags & PROTECTED_PATH) !== 0;
  if (pin === undefined && !padded)
    throw new SteelyardError(
      'USAGE',
      'the token needs its PIN: set STEELYARD_PKCS11_PIN, or add ?pin-source=file:/path to the address',
    );
  // One try: tokens lock themselves after a few.
  told('the token does not let us in', () => module.C_Login(session, USER, pin), 'UNAUTHORIZED');
}

/** The module's own name for what went wrong (CKR_…) is all of its message that is told. */
function told<T>(message: string, action: () => T, code: 'IO' | 'UNAUTHORIZED' = 'IO'): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof SteelyardError) throw error;
    const [reason] = /CKR_[A-Z0-9_]+/.exec((error as Error).message) ?? [];
    throw new SteelyardError(code, reason === undefined ? message : `${message} (${reason})`);
  }
}
