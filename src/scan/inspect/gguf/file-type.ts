// enum llama_ftype (llama.h): what general.file_type promises of most tensors. Names whose recipe mixes types have them all.

export const FILE_TYPES: ReadonlyMap<number, readonly string[]> = new Map([
  [0, ['F32']],
  [1, ['F16']],
  [2, ['Q4_0']],
  [3, ['Q4_1']],
  [7, ['Q8_0']],
  [8, ['Q5_0']],
  [9, ['Q5_1']],
  [10, ['Q2_K', 'Q4_0']],
  [11, ['Q3_K']],
  [12, ['Q3_K']],
  [13, ['Q3_K']],
  [14, ['Q4_K', 'Q5_0']],
  [15, ['Q4_K', 'Q5_0']],
  [16, ['Q5_K', 'Q5_1']],
  [17, ['Q5_K', 'Q5_1']],
  [18, ['Q6_K', 'Q8_0']],
  [32, ['BF16']],
]);
