// The options of `steelyard drift`, and how their texts are read.
import { InvalidArgumentError } from 'commander';
import type { pullLimit } from '../../serving/drift/drift.ts';
import type { ReportFlags } from '../option/report-options.ts';
import type { TrustFlags } from '../option/trust-options.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface DriftFlags extends TrustFlags, ReportFlags {
  readonly bom?: string;
  readonly signature?: string;
  readonly previous?: string;
  readonly until?: string;
  readonly targets?: string;
  readonly kubernetes?: string;
  readonly kubeconfig?: string;
  readonly container?: string;
  readonly port?: number;
  readonly scheme: 'http' | 'https';
  readonly path: string;
  readonly tokenEnv?: string;
  readonly insecure?: true;
  readonly fingerprint?: readonly string[];
  readonly model?: string;
  readonly confirm: number;
  readonly act?: true;
  readonly maxPulled: Parameters<typeof pullLimit>[0];
  readonly once?: true;
  readonly watch?: number;
  readonly history?: string;
  readonly metrics?: string;
  readonly metricsListen?: Address;
  readonly format: 'text' | 'json';
}

export function listenAddress(text: string): Address {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new InvalidArgumentError('It must be host:port.');
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, at least 1.');
  return Number(text);
}

export function secondsOption(text: string): number {
  const [, number, unit = 's'] = /^([1-9]\d{0,5})(s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('It must be a time, for instance 60s or 5m.');
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h'];
}

export function pullLimitOption(text: string): Parameters<typeof pullLimit>[0] {
  const [, number, percent] = /^(\d{1,5})(%?)$/.exec(text) ?? [];
  if (number === undefined || (percent === '%' && Number(number) > 100)) {
    throw new InvalidArgumentError('It must be a number of pods, or a percentage: 2 or 25%.');
  }
  return percent === '%' ? { percent: Number(number) } : { count: Number(number) };
}
