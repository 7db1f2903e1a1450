// The GGUF name of a tensor that transformers names: what llama.cpp's converter does (gguf-py/gguf/tensor_mapping.py, the Llama
// family: Llama, Mistral, Qwen, Gemma). Only for pairing; a name that is not known stays as it is.

export function ggufName(name: string): string {
  const layer = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
  if (layer !== null) {
    const part = LAYER.get(layer[2]!);
    return part === undefined ? name : `blk.${layer[1]}.${part}.${layer[3]}`;
  }
  return WHOLE.get(name) ?? name;
}

const WHOLE: ReadonlyMap<string, string> = new Map([
  ['model.embed_tokens.weight', 'token_embd.weight'],
  ['model.norm.weight', 'output_norm.weight'],
  ['lm_head.weight', 'output.weight'],
]);

const LAYER: ReadonlyMap<string, string> = new Map([
  ['input_layernorm', 'attn_norm'],
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.o_proj', 'attn_output'],
  ['self_attn.q_norm', 'attn_q_norm'],
  ['self_attn.k_norm', 'attn_k_norm'],
  ['post_attention_layernorm', 'ffn_norm'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
]);
