// What Python calls its internals, and what Jinja2 and Flask give to every template.

/**
 * Names of attributes that lead from a value to Python's internals. One underscore is no sign of it: `_meta` of MCP and `_id` of
 * document stores are data. What Python, Jinja2 and Flask keep under one is listed.
 */
export const INTERNAL = new RegExp(
  '^(?:__.*|_[A-Z]\\w*__\\w+|_(?:os|sys|module|modules|builtins|context|environment|frame|globals|wrapped|loader|asdict|sa_\\w+)|' +
    '_(?:undefined_\\w+|fail_with_undefined_error|get_current_object|load_form_data)|mro|func_(?:globals|code|closure)|im_(?:class|func|self)|(?:gi|cr|ag|tb)_(?:frame|code|await|yieldfrom)|' +
    'f_(?:back|globals|locals|builtins|code)|co_(?:code|consts|names))$',
);
/** As a string on its own, outside of any subscript, only what nothing but Python calls so. */
export const DUNDER =
  /^__(?:class|mro|base|bases|subclasses|globals|builtins|init|import|dict|self|func|code|closure|getattribute|getattr|getitem|reduce|reduce_ex|loader|spec|call|new|module|subclasshook|init_subclass|enter|exit|wrapped|defaults|annotations)__$/;
/** str.format walks attributes too: '{0.__class__}'.format(x). */
export const FORMAT_WALK = /\{[^{}]{0,200}[.[]\s*_[^{}]{0,200}\}/;

export const GLOBALS = [
  'lipsum',
  'cycler',
  'joiner',
  'self',
  'url_for',
  'get_flashed_messages',
  'get_template_attribute',
  'current_app',
];
/** Flask's, but a template may well have a variable of that name. */
export const COMMON_GLOBALS = ['config', 'request', 'session', 'environment', 'context', 'application'];
export const MODULES = [
  'os',
  'subprocess',
  'importlib',
  'builtins',
  'shutil',
  'pty',
  'ctypes',
  'posix',
  'socket',
];
export const COMMANDS = [
  'popen',
  'Popen',
  'eval',
  'exec',
  'execfile',
  'system',
  'check_output',
  'check_call',
  'getoutput',
];
export const LOADERS = [
  'import_module',
  'load_module',
  'execv',
  'execve',
  'spawnl',
  'spawnv',
  'spawnlp',
  'getstatusoutput',
];
export const BUILTINS = ['open', 'compile', 'getattr', 'setattr', 'globals', 'locals', 'vars', '__import__'];
/** Filters that take the name of an attribute: in `attribute`, or as their first argument. */
export const BY_ATTRIBUTE = [
  'map',
  'selectattr',
  'rejectattr',
  'groupby',
  'sort',
  'unique',
  'sum',
  'min',
  'max',
  'join',
];
export const GENERATORS = [
  'select',
  'reject',
  'map',
  'selectattr',
  'rejectattr',
  'batch',
  'slice',
  'groupby',
];
/** Functions that every renderer gives to a template: data has no reason to be looked for in them. */
export const FUNCTIONS = [
  'raise_exception',
  'strftime_now',
  'range',
  'dict',
  'namespace',
  'lipsum',
  'cycler',
  'joiner',
  'loop',
  'caller',
];
/** Methods of strings, lists and dictionaries, which data has whatever it is. */
export const METHODS = new Set([
  'items',
  'keys',
  'values',
  'get',
  'strip',
  'lstrip',
  'rstrip',
  'split',
  'rsplit',
  'splitlines',
  'startswith',
  'endswith',
  'lower',
  'upper',
  'title',
  'capitalize',
  'replace',
  'join',
  'append',
  'find',
  'index',
  'count',
  'isdigit',
  'copy',
  'pop',
  'extend',
  'update',
]);
