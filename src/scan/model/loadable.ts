// What a loader loads or runs, by the name, because a loader decides by the name too. Pickles run code when they are loaded;
// templates are code that runs for each request.

export const isLoadable = (path: string): boolean => LOADABLE.test(path);

const LOADABLE = new RegExp(
  `\\.(${[
    'safetensors|gguf|ggml|ggmf|llamafile|bin|onnx|onnx_data|pb|tflite|mlmodel|h5|hdf5|keras|msgpack|npy|npz|nemo|weights',
    'pt|pth|ckpt|pkl|pickle|joblib|dill|ptl|pt2|mar',
    'py|pyc|pyo|pyd|pyw|pyz|so|so\\.[0-9.]+|dll|dylib|node|wasm|jar|class|exe|com|elf',
    'sh|bash|zsh|fish|bat|cmd|ps1|js|mjs|cjs|ts|rb|pl|lua|php|r|jl|ipynb|jinja|jinja2|j2|tmpl|pth|egg|whl|lnk|desktop',
  ].join('|')})$`,
  'i',
);
