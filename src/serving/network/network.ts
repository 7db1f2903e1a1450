// Addresses and ranges of them, IPv4 and IPv6.

/** Where clouds answer with credentials of the machine. */
export const METADATA = ['169.254.169.254', 'fd00:ec2::254'] as const;

/** Two halves of all addresses are all addresses. */
const WIDE = 8;

/** A range of so many addresses that it restricts nothing. What is no range is not wide. */
export const isWide = (range: string): boolean => prefixOf(range) < WIDE;

/** Length of a range's prefix; 128 where there is none. */
function prefixOf(range: string): number {
  const [, bits] = range.split('/');
  return bits !== undefined && /^\d{1,3}$/.test(bits) ? Number(bits) : 128;
}

/** A range written as it is: an address whose bits behind the prefix are zero. */
export function isRange(range: string): boolean {
  const [address, bits, ...more] = range.split('/');
  const all = bitsOf(address!);
  if (all === null || bits === undefined || more.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(bits))
    return false;
  return Number(bits) <= all.length && !all.slice(Number(bits)).includes('1');
}

/** Whether a CIDR holds an address; false for what is no CIDR. */
export function contains(range: string, address: string): boolean {
  const [base, bits] = [bitsOf(range.split('/')[0]!), prefixOf(range)];
  const wanted = bitsOf(address);
  if (base === null || wanted === null || base.length !== wanted.length) return false;
  return base.slice(0, bits) === wanted.slice(0, bits);
}

/** null: no address. */
function bitsOf(address: string): string | null {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)) {
    const parts = address.split('.').map(Number);
    return parts.some((part) => part > 255)
      ? null
      : parts.map((part) => part.toString(2).padStart(8, '0')).join('');
  }
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(':')) return null;
  const [head = '', tail] = address.split('::');
  const words = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const zeros = tail === undefined ? 0 : 8 - words(head).length - words(tail).length;
  if (zeros < 0) return null;
  const all = [...words(head), ...Array<string>(zeros).fill('0'), ...words(tail)];
  if (all.length !== 8 || all.some((word) => !/^[0-9a-f]{1,4}$/i.test(word))) return null;
  return all.map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0')).join('');
}
