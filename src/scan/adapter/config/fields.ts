// The fields of PEFT's configurations, as of 0.21 and the versions before: which of them change what an adapter does when it is
// loaded. test/scan/inspect/adapter-settings.test.ts holds the table against the fields of PEFT's own source.

interface Effect {
  readonly what: string;
  /** Values at which it has none; false, null and empty ones have none anywhere. */
  readonly harmless: readonly unknown[];
}

/** Imported when the adapter is loaded. */
export const CODE: ReadonlySet<string> = new Set(['auto_mapping', 'megatron_core']);

/** How LoRA's factors begin. Those with a word about it change the base's own weights when they are loaded (tuners/lora/layer.py). */
export const LORA_INITS: ReadonlyMap<string, string> = new Map([
  ['gaussian', ''],
  ['orthogonal', ''],
  ['eva', ''],
  ['kaiming', ''],
  ['true', ''],
  ['false', ''],
  ['pissa', 'subtracts the leading directions from the weights of the base'],
  ['olora', 'replaces the weights of the base by what their QR leaves'],
  ['corda', 'subtracts directions from the weights of the base'],
  ['lora_ga', 'subtracts directions from the weights of the base'],
  ['loftq', 'quantises the weights of the base again'],
]);

export const EFFECTS: ReadonlyMap<string, Effect> = new Map(
  Object.entries({
    layer_replication: 'repeats and reorders the layers of the base',
    use_qalora: 'pools the inputs before A',
    alora_invocation_tokens: 'acts only after these tokens were read',
    arrow_config: 'routes every token between several adapters',
    use_bdlora: 'uses only blocks of the factors',
    kasa_config: 'removes the smallest directions from the weights of the base',
    monteclora_config: 'draws the factors from a distribution',
  }).map(([key, what]) => [key, { what, harmless: [] }]),
);

/** Training's own, or read by a check of its own. */
export const HARMLESS: ReadonlySet<string> = new Set(
  `peft_type task_type peft_version base_model_name_or_path revision inference_mode r lora_alpha alpha lora_dropout
  target_modules exclude_modules fan_in_fan_out bias use_rslora use_dora lora_bias modules_to_save init_lora_weights
  layers_to_transform layers_pattern rank_pattern alpha_pattern megatron_config trainable_token_indices loftq_config
  eva_config corda_config lora_ga_config velora_config qalora_group_size runtime_config target_parameters
  ensure_weight_tying target_r init_r tinit tfinal deltaT beta1 beta2 orth_reg_weight total_step
  enable_lora merge_weights lora_dtype lorap_lr_ratio lorap_emb_lr`.split(/\s+/),
);
