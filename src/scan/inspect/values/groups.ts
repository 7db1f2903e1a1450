// Tensors that mean something only together: codes with their scales. Loaders fill a gap with zeros, or with what was in memory,
// and go on. What belongs together is told by a small table, and for the rest by what most modules of the model have.
import { quoted } from '../../../document/violations.ts';
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { Check } from '../../../runtime/turn.ts';
import type { Profile, TensorProfile } from '../../profile/profile.ts';

/** `fp8`: folders whose config.json says that the model is quantised so. */
export function inspectGroups(
  { tensors, files }: Profile,
  fp8: ReadonlySet<string>,
  check: Check,
): Finding[] {
  const whole = wholeFiles(files);
  const modules = modulesOf(tensors.filter(({ file }) => whole.has(file)));
  const usual = usualMembers([...modules.values()]);
  const found: Finding[] = [];
  for (const [key, module] of modules) {
    check();
    const { folder, name } = JSON.parse(key) as { folder: string; name: string };
    const missing = missingOf(module, usual, fp8.has(folder));
    if (missing === null) continue;
    const [first] = module.values();
    const codes = [...module.values()].some(({ dtype, name }) => isCode(dtype) && !/scale|zero/.test(name));
    const severity = codes && /scale|absmax|SCB/i.test(missing) ? 'high' : 'medium';
    const message = `the module ${quoted(name)} has ${[...module.keys()].sort().join(', ')} and no ${missing}`;
    found.push(toFinding({ rule: 'stats/group', severity, file: first!.file, tensor: first!.name, message }));
  }
  return found;
}

type Module = ReadonlyMap<string, TensorProfile>;

const MEMBER =
  /^(.+)[._](weight\.(?:absmax|quant_map|nested_absmax|nested_quant_map)|qweight|qzeros|scales|g_idx|weight_scale(?:_inv|_2)?|weight_zero_point|weight_packed|weight_shape|weight_global_scale|input_scale|input_global_scale|scale_weight|scale_input|comfy_quant|SCB|biases|blocks|weight)$/;

/** By folder and module. */
function modulesOf(tensors: readonly TensorProfile[]): Map<string, Map<string, TensorProfile>> {
  const modules = new Map<string, Map<string, TensorProfile>>();
  for (const tensor of tensors) {
    const match = MEMBER.exec(tensor.name);
    if (match === null) continue;
    const folder = tensor.file.slice(0, tensor.file.lastIndexOf('/') + 1);
    const key = JSON.stringify({ folder, name: match[1] });
    const module = modules.get(key) ?? new Map<string, TensorProfile>();
    modules.set(key, module.set(match[2]!, tensor));
  }
  return modules;
}

/** Half of a module may lie in another shard; a shard that was named alone says nothing. */
function wholeFiles(files: Profile['files']): Set<string> {
  const titleOf = (path: string): string => path.replace(/-\d{1,9}-of-/, '-of-');
  const counts = new Map<string, number>();
  for (const { path } of files) counts.set(titleOf(path), (counts.get(titleOf(path)) ?? 0) + 1);
  const isWhole = (path: string): boolean => {
    const count = /-\d{1,9}-of-(\d{1,9})(?:\.[^./]+)?\.safetensors$/.exec(path)?.[1];
    return count === undefined || counts.get(titleOf(path))! >= Number(count);
  };
  return new Set(files.map(({ path }) => path).filter(isWhole));
}

const isCode = (dtype: string): boolean => /^(U8|I8|U16|I16|I32|U32|I64|F8_|F4)/.test(dtype);

/** has → needs one of. */
const TABLE: readonly (readonly [string, readonly string[]])[] = [
  ['qweight', ['scales']],
  ['qzeros', ['qweight']],
  ['g_idx', ['qweight']],
  ['scales', ['qweight', 'weight', 'blocks', 'weight_packed']],
  ['biases', ['scales']],
  ['blocks', ['scales']],
  ['weight_packed', ['weight_scale']],
  ['weight_scale', ['weight', 'weight_packed', 'qweight']],
  ['weight_scale_inv', ['weight']],
  ['weight_scale_2', ['weight_scale']],
  ['weight_global_scale', ['weight_scale']],
  ['scale_weight', ['weight']],
  ['SCB', ['weight']],
  ['weight.absmax', ['weight']],
  ['weight.quant_map', ['weight.absmax']],
];

const SCALES = ['scales', 'weight_scale', 'weight_scale_inv', 'scale_weight', 'SCB', 'weight.absmax'];

function missingOf(
  module: Module,
  usual: ReadonlyMap<string, readonly string[]>,
  fp8: boolean,
): string | null {
  for (const [has, needs] of TABLE)
    if (module.has(has) && !needs.some((one) => module.has(one))) return needs[0]!;
  const weight = module.get('weight');
  const scaled = SCALES.some((one) => module.has(one));
  const isFp8 = weight !== undefined && weight.shape.length >= 2 && /^F8_E[45]M[32]/.test(weight.dtype);
  if (fp8 && isFp8 && !scaled) return 'weight_scale';
  for (const [suffix, { dtype }] of module) {
    if (!isCode(dtype)) continue;
    const due = usual.get(`${suffix} ${dtype}`)?.find((one) => !module.has(one));
    if (due !== undefined) return due;
  }
  return null;
}

const LEAST = 3;
const MOST = 0.75;

/** For codes of one kind ("qweight I32"), what nearly all modules that have them have beside them. */
function usualMembers(modules: readonly Module[]): Map<string, string[]> {
  const counts = new Map<string, { all: number; beside: Map<string, number> }>();
  for (const module of modules)
    for (const [suffix, { dtype }] of module) {
      if (!isCode(dtype)) continue;
      const key = `${suffix} ${dtype}`;
      const count = counts.get(key) ?? { all: 0, beside: new Map<string, number>() };
      counts.set(key, count);
      count.all++;
      for (const other of module.keys())
        if (other !== suffix) count.beside.set(other, (count.beside.get(other) ?? 0) + 1);
    }
  const usual = new Map<string, string[]>();
  for (const [key, { all, beside }] of counts)
    if (all >= LEAST)
      usual.set(
        key,
        [...beside].filter(([, n]) => n >= MOST * all).map(([one]) => one),
      );
  return usual;
}
