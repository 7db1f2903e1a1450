// Integers that kernels use as indexes or sizes without a look: one out of range reads outside of memory.
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { Profile, TensorProfile } from '../../profile/profile.ts';

export function inspectIndexes({ tensors }: Profile): Finding[] {
  const byName = new Map(tensors.map((tensor) => [`${tensor.file}\0${tensor.name}`, tensor]));
  return tensors.flatMap((tensor) => {
    const { name, file, dtype, stats } = tensor;
    const role = ROLE.exec(name)?.[2];
    if (role === undefined || stats === null || !/^[IU](8|16|32|64)$/.test(dtype)) return [];
    const module = name.slice(0, -role.length);
    const [least, most] = rangeOf(role, tensor, (member) => byName.get(`${file}\0${module}${member}`));
    if (Number(stats.min) >= least && Number(stats.max) <= most) return [];
    const message = `the indexes go from ${stats.min} to ${stats.max}`;
    const expected = `${least} to ${Number.isFinite(most) ? most : 'any'}`;
    return [
      toFinding({
        rule: 'stats/index',
        file,
        tensor: name,
        message,
        expected,
        actual: `${stats.min} to ${stats.max}`,
      }),
    ];
  });
}

const ROLE =
  /(^|[._])(g_idx|q_perm|q_invperm|perm|inv_perm|invperm|q_groups|q_group_map|weight_shape|position_ids|relative_position_index|col_indices|crow_indices|indices)$/;

type Beside = (member: string) => TensorProfile | undefined;

function rangeOf(
  role: string,
  { shape, count }: TensorProfile & { count?: number },
  beside: Beside,
): [number, number] {
  const elements = count ?? shape.reduce((product, side) => product * side, 1);
  if (role === 'g_idx') {
    const groups = (beside('scales') ?? beside('qzeros') ?? beside('weight_scale'))?.shape[0];
    // compressed-tensors keeps -1 where there is no order of activations.
    return [beside('weight_packed') === undefined ? 0 : -1, groups === undefined ? elements - 1 : groups - 1];
  }
  if (role === 'weight_shape') return [1, 2 ** 31];
  if (/perm$|position_ids$/.test(role)) return [0, elements - 1];
  return [0, Number.POSITIVE_INFINITY];
}
