// What a server may connect to: declared once, checked against its configuration, written for what enforces it, proven in the pod.
export { type Checked, checkConfiguration } from './configuration.ts';
export { type Egress, parseEgress } from './declaration.ts';
export { type Probed, probe } from './probe.ts';
export { render, TARGETS, type Target } from './render/render.ts';
