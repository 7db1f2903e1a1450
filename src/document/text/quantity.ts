// Numbers for people. Written out by hand, because a locale must not change a report.

/** 4980736000 → '4.98 GB'. Decimal units, as disks and hubs count. */
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  // 999.5 would print as 1.00e+3.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** 1203 → '1,203'. */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** 2, 'tensor' → '2 tensors'. */
export const counted = (count: number, noun: string): string =>
  `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;

/** 83.2 → '1 min 23 s'. */
export function duration(seconds: number): string {
  if (seconds < 0.1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Three significant digits, without the trailing zeros that would claim more. */
export function rounded(value: number): string {
  if (Math.abs(value) >= 1e9) return value.toPrecision(3);
  const short = Number(value.toPrecision(3));
  return Number.isInteger(short) ? grouped(short) : String(short);
}
