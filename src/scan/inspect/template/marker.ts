// Words of the protocol between a model and its program, which templates of all families look for.

/**
 * Whether a text is part of a protocol and not of a conversation: what models write around their thoughts and calls, and what
 * steers their thinking. Templates of the common families take these apart. Other markup is not: an attacker can invent a
 * tag, and write it into a document that the model is given.
 */
export function isMarker(text: string): boolean {
  if (text.length > MARKER_MAX) return false;
  const trimmed = text.trim();
  const bare = trimmed.replace(/^[<[{|｜/\\▁]+|[>\]}|｜▁:]+$/g, '');
  if (bare === '') return true;
  // What transformers puts after a message that is to be continued.
  if (MARKS.test(trimmed) || trimmed === 'CONTINUE_FINAL_MESSAGE_TAG') return true;
  return bare.length < trimmed.length && PROTOCOL.test(bare);
}

/** Whether a text is a key of a message's part; 'text' may as well be asked of a whole content, which is a string or a part. */
export const isPartKey = (text: string, ofPart: boolean): boolean =>
  text === 'text' || (ofPart ? PARTS.has(text) : UNDERSCORED.has(text));

const MARKER_MAX = 48;
/** What begins or ends a marker, a line or a JSON document. No mark of a sentence. */
const MARKS = /^[<>[\]{}|`"'#*=_~\\-]{1,3}$/;
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
const UNDERSCORED = new Set(['image_url', 'input_image', 'audio_url', 'input_audio', 'video_url']);
const PROTOCOL =
  /^(?:\w{1,8}:)?(?:no_?)?(?:think(?:ing)?|thought|reasoning|analysis|final|channel|message|start|end|return|constrain|call|tools?|tool[_ ▁](?:calls?|responses?|results?|outputs?|use)(?:[_ ▁](?:begin|end|start))?|function(?:[_ ]?calls?)?|function_results?|TOOL_(?:CALLS?|RESULTS?)|AVAILABLE_TOOLS|INST|SYS|system_override|im_(?:start|end)|eot_id|eom_id|python_tag|image|img|IMG|audio|video|object_ref_start|box_start|NONE|turn|start_of_turn|end_of_turn|_end_think)$/;
