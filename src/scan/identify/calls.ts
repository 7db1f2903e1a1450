// What a pickle imports → how grave that is. Whatever a pickle imports it can call with arguments of its own, so that a name is
// judged by what calling it can do, never by what the pickle seems to do with it.
import type { Severity } from '../../rules/rules.ts';
import { COMPUTED } from '../format/disguise/pickle.ts';

/** The gravest of the names; medium where all of them are what checkpoints are made of. */
export function gravest(names: readonly string[]): {
  readonly severity: Severity;
  readonly name: string | null;
} {
  for (const severity of ['critical', 'high'] as const) {
    const name = names.find((one) => severityOf(one) === severity);
    if (name !== undefined) return { severity, name };
  }
  return { severity: 'medium', name: null };
}

function severityOf(imported: string): Severity {
  if (imported === COMPUTED) return 'critical';
  const space = imported.indexOf(' ');
  const [module, name] = [imported.slice(0, space), imported.slice(space + 1)];
  const [root = ''] = module.split('.');
  if (PLAIN.get(module)?.test(name)) return 'medium';
  if (ACTS.has(root) || ACTS.has(module)) return 'critical';
  if (!TRUSTED.has(root)) return 'high';
  const path = [...module.split('.').slice(1), ...name.split('.')];
  return path.some((part) => ACTING_PART.test(part)) ? 'critical' : 'medium';
}

/** What a Trainer, PyTorch and NumPy put into checkpoints. */
const TRUSTED = new Set([
  'torch',
  'numpy',
  'collections',
  'transformers',
  'accelerate',
  'peft',
  'trl',
  'datasets',
]);

/** Inside of these libraries: what loads, runs, opens, connects or compiles (torch.load, numpy.f2py, torch.hub, runstring). */
const ACTING_PART =
  /^_*(load|loads|hub|system|exec|eval|compile|run|runstring|popen|spawn|open|fromfile|tofile|memmap|savez?|dump|dumps|download\w*|load_\w+|import_\w+|get_class_from_dynamic_module|dynamic_module_utils|from_pretrained|push_to_hub|cpp_extension|f2py|distutils|rpc|package|ctypeslib|inductor|dynamo|model_zoo|bottleneck|launch\w*|subprocess|os|sys|importlib|builtins|socket|shutil|pickle|marshal|__\w+__|genfromtxt|loadtxt|savetxt|DataSource)$/;

const names = (words: string): RegExp => new RegExp(`^(${words})$`);

/** Plain data of the standard library. */
const BUILTINS = names(
  'set|frozenset|dict|list|tuple|int|float|complex|bool|bytes|bytearray|str|unicode|long|slice|range|xrange|object|Ellipsis|NotImplemented',
);
const PLAIN: ReadonlyMap<string, RegExp> = new Map([
  ['builtins', BUILTINS],
  ['__builtin__', BUILTINS],
  ['_codecs', names('encode')],
  ['copyreg', names('_reconstructor|__newobj__|__newobj_ex__')],
  ['copy_reg', names('_reconstructor|__newobj__|__newobj_ex__')],
  ['datetime', names('date|datetime|time|timedelta|timezone')],
  ['decimal', names('Decimal')],
  ['fractions', names('Fraction')],
  ['uuid', names('UUID|SafeUUID')],
  ['argparse', names('Namespace')],
  ['types', names('SimpleNamespace')],
  ['pathlib', names('(Pure)?(Posix|Windows)?Path')],
  ['random', names('Random')],
]);

/** Modules whose functions execute, open, connect, import, or reach others that do. */
const ACTS = new Set(
  (
    'os posix nt ntpath posixpath sys builtins __builtin__ subprocess _posixsubprocess pty tty runpy importlib imp pkgutil zipimport ' +
    'socket _socket ssl socketserver urllib urllib2 urllib3 http httplib httplib2 requests aiohttp httpx ftplib smtplib telnetlib ' +
    'poplib imaplib nntplib xmlrpc xmlrpclib webbrowser antigravity shutil tempfile io _io codecs fileinput glob pathlib linecache ' +
    'ctypes _ctypes cffi pickle _pickle cPickle cloudpickle dill marshal shelve code codeop ast dis inspect types gc ' +
    'multiprocessing _multiprocessing threading _thread concurrent asyncio signal mmap platform pydoc pip setuptools distutils ' +
    'ensurepip venv timeit trace profile cProfile pdb bdb doctest unittest test operator _operator functools weakref atexit ' +
    'logging zipfile tarfile gzip bz2 lzma sqlite3 _sqlite3 dbm readline rlcompleter idlelib tkinter turtledemo site sitecustomize ' +
    'usercustomize cmd commands popen2 pexpect sh fabric paramiko docker boto3 botocore fsspec s3fs gradio flask django jinja2 ' +
    'mako yaml nltk.app torch.hub torch.utils.cpp_extension numpy.f2py numpy.testing numpy.distutils joblib.memory pandas.io ' +
    'tensorflow.io IPython ipykernel jupyter_client copyreg copy_reg _codecs lib2to3 wsgiref winreg msvcrt _winapi syslog'
  ).split(' '),
);
