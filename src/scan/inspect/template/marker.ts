// Words of the protocol between a model and its program, which templates of all families look for.

/**
 * Whether a text is part of a protocol and not of a conversation: what models write around their thoughts and calls, what
 * steers their thinking, and the keys of a message's parts. Templates of the common families take these apart. Other markup
 * is not: an attacker can invent a tag, and write it into a document that the model is given.
 */
export function isMarker(text: string): boolean {
  if (text.length > MARKER_MAX) return false;
  const bare = text.trim().replace(/^[<[{|｜/\\▁]+|[>\]}|｜▁:]+$/g, '');
  if (bare === '') return true;
  const wrapped = bare.length < text.trim().length;
  return /^[!-/:-@[-`{-~]{1,3}$/.test(bare) || PARTS.has(bare) || (wrapped && PROTOCOL.test(bare));
}

const MARKER_MAX = 48;
const PARTS = new Set([
  'text',
  'image',
  'image_url',
  'input_image',
  'audio',
  'audio_url',
  'input_audio',
  'video',
  'video_url',
  'file',
  'content',
  'parts',
  'type',
  'thinking',
  'document',
]);
const PROTOCOL =
  /^(?:\w{1,8}:)?(?:no_?)?(?:think(?:ing)?|thought|reasoning|analysis|final|channel|message|start|end|return|constrain|call|tools?|tool[_ ▁](?:calls?|responses?|results?|outputs?|use)(?:[_ ▁](?:begin|end|start))?|function(?:[_ ]calls?)?|function_results?|TOOL_(?:CALLS?|RESULTS?)|AVAILABLE_TOOLS|INST|SYS|system_override|im_(?:start|end)|eot_id|eom_id|python_tag|image|img|IMG|audio|video|object_ref_start|box_start|turn|start_of_turn|end_of_turn)$/;
