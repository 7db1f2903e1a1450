// `steelyard/pull` for programs: models from trusted places, verified before they are anywhere; locks, peeks and receipts.
export type { SourceFile, SourceNote, SourceOptions, Zone } from '../source/source.ts';
export { type Borrowed, borrow } from './borrowed.ts';
export type { SignedMbom } from './expectation/declared-mbom.ts';
export type { Expectation } from './expectation/expectation.ts';
export { peek } from './peek/peek.ts';
export type { Peek } from './peek/peeked.ts';
export { type PullOptions, type PullResult, pull } from './pull.ts';
export { type Lock, lock, readLock, writeLock } from './receipt/lock.ts';
export type { Receipt } from './receipt/receipt.ts';
export { type ReceiptProof, verifyReceipt } from './receipt/receipt-verification.ts';
export { scanSource } from './scan-source.ts';
