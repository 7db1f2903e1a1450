// Containers and what they run: the door of this folder.
export { type Engine, engineOf, type ModelSource, modelOf } from './engine.ts';
export { isPiped, isVerifier } from './program.ts';
export { commandsOf, flagOf, split, type Words } from './words.ts';
export { type Container, isJob, type Mount, type Security, type Workload } from './workload.ts';
