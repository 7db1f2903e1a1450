// The four formats, and pod specs wherever they stand.
import t from 'tap';
import { DIGEST, indented, lintText, pod, rulesOf } from './kit.ts';

const CONTAINERS = 'containers:\n  - name: c\n    image: a:1\n    securityContext: {privileged: true}';

t.test('pod specs are found by shape', async (t) => {
  const shapes: Record<string, string> = {
    Pod: `spec:\n${indented(CONTAINERS, 2)}`,
    CronJob: `spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n${indented(CONTAINERS, 10)}`,
    RayService: `spec:\n  rayClusterConfig:\n    workerGroupSpecs:\n      - template:\n          spec:\n${indented(CONTAINERS, 12)}`,
    LeaderWorkerSet: `spec:\n  leaderWorkerTemplate:\n    workerTemplate:\n      spec:\n${indented(CONTAINERS, 8)}`,
    InferenceService: `spec:\n  predictor:\n${indented(CONTAINERS, 4)}`,
    Tomorrow: `anything:\n  - at: all\n    deeply:\n${indented(CONTAINERS, 6)}`,
  };
  for (const [kind, body] of Object.entries(shapes)) {
    const report = await lintText(`apiVersion: x/v1\nkind: ${kind}\nmetadata: {name: n}\n${body}\n`);
    t.ok(rulesOf(report).includes('privileged/container'), kind);
    t.equal(report.files[0]!.workloads[0]!.object, `${kind}/n`);
    t.equal(report.files[0]!.workloads.length, 1, `${kind}: once`);
  }
  const list = `kind: List\nitems:\n  - kind: Pod\n    metadata: {name: a}\n    spec:\n${indented(CONTAINERS, 6)}\n`;
  t.strictSame(
    (await lintText(list)).files[0]!.workloads.map(({ object }) => object),
    ['Pod/a'],
  );
  const init = pod(
    'image: a:1',
    'initContainers:\n  - {name: i, image: b, securityContext: {privileged: true}}',
  );
  t.match(
    (await lintText(init)).findings.filter(({ rule }) => rule === 'privileged/container'),
    [{ container: 'i' }],
  );
  const crd =
    'kind: CustomResourceDefinition\nspec: {versions: [{schema: {openAPIV3Schema: {properties: {containers: {items: {}}}}}}]}\n';
  t.match((await lintText(crd)).errors, [{ code: 'NOT_FOUND' }], 'a schema of pods is no pod');
});

t.test('KServe: a model is a container, and its storage a source', async (t) => {
  const predictor = (uri: string) =>
    `kind: InferenceService\nmetadata: {name: m}\nspec:\n  predictor:\n    model:\n      modelFormat: {name: huggingface}\n      storageUri: ${uri}\n`;
  const source = async (uri: string) => rulesOf(await lintText(predictor(uri)), /^model/);
  t.strictSame(await source('hf://acme/chat'), ['model/mutable-source', 'model/unverified']);
  t.strictSame(await source(`hf://acme/chat:${'a'.repeat(40)}`), ['model/unverified']);
  t.strictSame(await source('s3://models/chat/latest'), ['model/mutable-source', 'model/unverified']);
  t.strictSame(await source('s3://models/chat/1.2'), ['model/unverified']);
  t.strictSame(await source(`oci://registry.example/chat@${DIGEST}`), ['model/unverified']);
  t.strictSame(await source('oci://registry.example/chat:1'), ['model/mutable-source', 'model/unverified']);
});

const serve = (words: string, more = ''): string => pod(`image: a@${DIGEST}\ncommand: ${words}\n${more}`);

t.test('engines: loading', async (t) => {
  const rows: [words: string, more: string, rules: string[]][] = [
    ['[vllm, serve, acme/chat]', '', ['load/online', 'model/mutable-source', 'model/unverified']],
    [`[vllm, serve, acme/chat, --revision, ${'a'.repeat(40)}]`, '', ['load/online', 'model/unverified']],
    [
      '[vllm, serve, acme/chat, --revision=main]',
      '',
      ['load/online', 'model/mutable-source', 'model/unverified'],
    ],
    ['[vllm, serve, /m, --trust_remote_code]', '', ['load/online', 'load/remote-code']],
    ['[vllm, serve, /m, --trust-remote-code=false]', '', ['load/online']],
    ['[sh, -c, "exec vllm serve /m \\\\\\n --trust-remote-code"]', '', ['load/online', 'load/remote-code']],
    [
      '[sh, -c, "vllm serve $(FLAGS) /m"]',
      'env: [{name: FLAGS, value: --trust-remote-code}]',
      ['load/online', 'load/remote-code'],
    ],
    ['[python, x.py]', 'env: [{name: TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD, value: "1"}]', ['load/remote-code']],
    ['[tritonserver, --model-repository=/m, --model-control-mode=poll]', '', ['load/hot-swap']],
    ['[tritonserver, --model-repository=/m, --model-control-mode=none]', '', []],
    ['[llama-server, -m, /m/a.gguf]', '', ['load/hot-swap']],
    ['[llama-server, -m, /m/a.gguf, --api-key-file, /k]', '', []],
    ['[llama-server, -m, /m/a.gguf, --api-key-file, /k, --props]', '', ['load/hot-swap']],
    ['[llama-server, -hf, acme/chat, --api-key-file, /k]', '', ['model/mutable-source', 'model/unverified']],
    ['[ollama, serve]', 'env: [{name: OLLAMA_HOST, value: "0.0.0.0:11434"}]', ['load/hot-swap']],
    ['[ollama, serve]', 'env: [{name: OLLAMA_HOST, value: "127.0.0.1"}]', []],
    [
      '[python3, -m, sglang.launch_server, --model-path, /m, --enable-lora]',
      '',
      ['load/hot-swap', 'load/online'],
    ],
    [
      '[python3, -m, sglang.launch_server, --model-path, /m, --enable-lora, --admin-api-key, $(K)]',
      '',
      ['load/online'],
    ],
    ['[torchserve, --model-store, /m, --enable-model-api]', '', ['load/hot-swap']],
    ['[tensorflow_model_server, --model_config_file_poll_wait_seconds=60]', '', ['load/hot-swap']],
    [
      '[text-generation-launcher]',
      'env: [{name: MODEL_ID, value: acme/chat}, {name: HF_HUB_OFFLINE, value: "1"}]',
      ['model/mutable-source', 'model/unverified'],
    ],
    ['[python, train.py, --model, acme/base]', '', []],
    ['[python, anything.py]', 'env: [{name: HF_ENDPOINT, value: "https://mirror.example"}]', []],
    [
      '[vllm, serve, /m]',
      'env: [{name: HF_HUB_OFFLINE, value: "1"}, {name: HF_ENDPOINT, value: "https://mirror.example"}]',
      ['load/online'],
    ],
    ['[sh, -c, "wget https://x.example/w.safetensors -O /m/w; python x.py"]', '', ['model/mutable-source']],
    ['[sh, -c, "wget https://x.example/w.safetensors && echo d | sha256sum -c"]', '', []],
    ['[sh, -c, "hf download acme/chat --local-dir /m"]', '', ['model/mutable-source']],
    [`[sh, -c, "hf download acme/chat --revision ${'b'.repeat(40)}"]`, '', []],
    ['[sh, -c, "git clone https://huggingface.co/acme/chat"]', '', ['model/mutable-source']],
  ];
  for (const [words, more, rules] of rows)
    t.strictSame(rulesOf(await lintText(serve(words, more)), /^(?:load|model)/), rules, `${words} ${more}`);
  const config = 'kind: ConfigMap\ndata:\n  engine.yaml: |\n    model: /m\n    trust_remote_code: true\n';
  t.strictSame(
    rulesOf(await lintText(`${serve('[a]')}---\n${config}`), /^load/),
    ['load/remote-code'],
    'in a text',
  );
  t.strictSame(
    rulesOf(await lintText(pod(`image: vllm/vllm-openai@${DIGEST}\ncommand: [torchrun, train.py]`)), /^load/),
    [],
  );
});

t.test('a sidecar that writes to the model, and a verifier of something else', async (t) => {
  const manifest = (sidecar: string, verifier: string) =>
    pod(
      `image: a@${DIGEST}\ncommand: [vllm, serve, /models/x]\nvolumeMounts: [{name: v, mountPath: /models, readOnly: true}]`,
      `initContainers:\n  - {name: i, image: b, args: ${verifier}, volumeMounts: [{name: v, mountPath: /models}, {name: w, mountPath: /other}]}`,
    ).replace('spec:\n', `spec:\n  ephemeralContainers: [${sidecar}]\n`);
  const verify = (path: string) => `[steelyard, verify, ${path}, --public-key, /k]`;
  const rules = async (sidecar: string, verifier: string) =>
    rulesOf(await lintText(manifest(sidecar, verifier)), /^model/);
  t.strictSame(await rules('', verify('/models/x')), []);
  t.strictSame(await rules('', verify('/other')), ['model/unverified']);
  const writer = '{name: s, image: c, volumeMounts: [{name: v, mountPath: /data}]}';
  t.strictSame(await rules(writer, verify('/models/x')), ['model/writable']);
});

t.test('compose', async (t) => {
  const service = (text: string): string => `services:\n  s:\n    image: a@${DIGEST}\n${indented(text, 4)}\n`;
  const hardened =
    'user: "1000"\nread_only: true\ncap_drop: [ALL]\nsecurity_opt: ["no-new-privileges:true"]\nmem_limit: 1g';
  const rules = async (text: string) =>
    rulesOf(await lintText(service(`${hardened}\n${text}`), 'compose.yaml'));
  t.strictSame(await rules(''), []);
  const bare = await lintText('services: {s: {image: a}}\n');
  t.strictSame(rulesOf(bare), [
    'caps/not-dropped',
    'escalation/allowed',
    'image/latest',
    'image/unpinned',
    'resources/unlimited',
    'rootfs/writable',
    'user/root',
  ]);
  const rows: [string, string[]][] = [
    ['privileged: true', ['privileged/container']],
    ['network_mode: host', ['host/network']],
    ['ipc: host', ['host/ipc']],
    ['pid: host', ['host/pid']],
    ['cap_add: [SYS_ADMIN]', ['caps/not-dropped']],
    ['volumes: ["/var/run/docker.sock:/var/run/docker.sock"]', ['host/socket']],
    ['volumes: ["/etc:/host/etc:ro"]', ['host/path']],
    ['volumes: ["./data:/data"]', []],
    ['volumes: [{type: bind, source: /, target: /host}]', ['host/socket']],
    ['ports: ["8000:8000"]', ['port/public']],
    ['ports: ["0.0.0.0:8000:8000/tcp"]', ['port/public']],
    ['ports: ["127.0.0.1:8000:8000"]', []],
    ['ports: ["[::1]:8000:8000"]', []],
    ['ports: [{target: 8000, published: 8000}]', ['port/public']],
    ['ports: [{target: 8000, published: 8000, host_ip: 127.0.0.1}]', []],
    ['environment: [API_KEY=abcdefgh]', ['secret/literal']],
    ['environment: {API_KEY: "\u0024{API_KEY}"}', []],
    ['environment: {API_KEY: "\u0024{API_KEY:-hunter22}"}', ['secret/literal']],
    [
      'command: vllm serve /models/x\nvolumes: ["models:/models"]',
      ['load/online', 'model/unverified', 'model/writable'],
    ],
  ];
  for (const [text, expected] of rows) t.strictSame(await rules(text), expected, text);
  const unconfined = service(hardened.replace('"no-new', '"seccomp:unconfined", "no-new'));
  t.strictSame(rulesOf(await lintText(unconfined)), ['seccomp/unset']);
  const root = service(hardened.replace('"1000"', '"0:0"'));
  t.strictSame(rulesOf(await lintText(root)), ['user/root']);
  const built = `services: {s: {build: ., ${'user: "1"'}}}\n`;
  t.strictSame(rulesOf(await lintText(built), /image/), [], 'what is built here has a Dockerfile');
});

t.test('Dockerfiles', async (t) => {
  const file = (text: string) => lintText(text, 'Dockerfile');
  const rules = async (text: string, end = 'USER 1\n') =>
    rulesOf(await file(`FROM a@${DIGEST}\n${text}\n${end}`));
  t.strictSame(await rules(''), []);
  const rows: [string, string[]][] = [
    ['COPY --from=b:1 /x /x', ['image/unpinned']],
    ['RUN pip install torch', ['build/unhashed']],
    ['RUN python -m pip install \\\n  torch', ['build/unhashed']],
    ['RUN uv pip install -r requirements.txt', ['build/unhashed']],
    ['RUN pip install --require-hashes -r r.txt', []],
    ['RUN pip install -e .', []],
    ['RUN ["sh", "-c", "echo hello"]', []],
    ['RUN pip install --require-hashes -r r.txt --trusted-host x', ['build/index']],
    ['RUN curl -s https://x.example | sudo bash', ['build/piped']],
    ['RUN curl -s https://x.example || bash other.sh', []],
    ['ADD https://x.example/w.gguf /w.gguf', ['model/mutable-source']],
    [`ADD --checksum=${DIGEST} https://x.example/w.gguf /w.gguf`, []],
    ['ENV OPENAI_API_KEY=abcdefghij', ['secret/literal']],
    ['ARG HF_TOKEN', []],
    ['ONBUILD RUN pip install torch', ['build/unhashed']],
    ['CMD vllm serve /m --trust-remote-code', ['load/remote-code']],
    [
      'ENTRYPOINT ["vllm", "serve"]\nCMD ["/m", "--trust-remote-code"]\nENV HF_HUB_OFFLINE=1',
      ['load/remote-code'],
    ],
  ];
  for (const [text, expected] of rows) t.strictSame(await rules(text), expected, text);
  t.strictSame(await rules('', ''), ['user/root'], 'no USER');
  t.strictSame(await rules('USER 1\nUSER root', ''), ['user/root'], 'the last one counts');
  t.strictSame(
    rulesOf(await file(`FROM a@${DIGEST} AS b\nUSER 1\nFROM b\nRUN true\n`)),
    [],
    'inherited from a stage',
  );
  t.strictSame(rulesOf(await file(`ARG B=python:latest\nFROM $B\nUSER 1\n`)), [
    'image/latest',
    'image/unpinned',
  ]);
  t.strictSame(rulesOf(await file(`ARG B=a@${DIGEST}\nFROM \${B}\nUSER 1\n`)), []);
  t.strictSame(rulesOf(await file('ARG B\nFROM $B\nUSER 1\n')), ['image/unpinned'], 'chosen elsewhere');
  t.strictSame(rulesOf(await file('FROM scratch\nUSER 1\n')), []);
  t.match(rulesOf(await lintText('# syntax=docker/dockerfile:1\nFROM a\n', 'stdin')), [
    'image/latest',
    'image/unpinned',
    'user/root',
  ]);
  t.match((await file('RUN true\n')).errors, [{ code: 'INVALID_MANIFEST' }]);
});

t.test('OCI image configurations', async (t) => {
  const image = (config: object, history: object[] = []) =>
    lintText(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config,
        rootfs: { type: 'layers', diff_ids: [] },
        history,
      }),
      'config.json',
    );
  t.strictSame(rulesOf(await image({ User: '1000' })), []);
  t.strictSame(rulesOf(await image({})), ['user/root']);
  t.strictSame(rulesOf(await image({ User: 'root:root' })), ['user/root']);
  t.strictSame(rulesOf(await image({ User: '1', Env: ['API_KEY=abcdefgh'] })), ['secret/literal']);
  t.strictSame(rulesOf(await image({ User: '1', Cmd: ['vllm', 'serve', '--trust-remote-code'] })), [
    'load/remote-code',
  ]);
  const history = [
    { created_by: 'RUN /bin/sh -c curl https://x.example | sh # buildkit' },
    { created_by: '/bin/sh -c #(nop) CMD' },
  ];
  t.strictSame(rulesOf(await image({ User: '1' }, history)), ['build/piped']);
});

t.test('what public manifests have, and is no fault', async (t) => {
  const job = (words: string): string =>
    `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  template:\n    spec:\n      containers:\n        - {name: c, image: ollama/ollama:1, command: [sh, -c, "${words}"], volumeMounts: [{name: models, mountPath: /model}]}\n`;
  const filling = job('ollama serve & ollama pull qwen:0.5b');
  const silent: [why: string, text: string, rule: RegExp, file?: string][] = [
    [
      'a tool in an archive is no weights',
      'FROM a\nRUN wget https://dl.example/k6/k6-linux-amd64.tar.gz',
      /^model/,
      'Dockerfile',
    ],
    [
      'a source archive is no weights',
      'FROM a\nADD https://github.com/x/y/archive/v1.tar.gz /x',
      /^model/,
      'Dockerfile',
    ],
    ['the -m of Python is no model', 'FROM a\nCMD python3 -m llama_cpp.server', /^model/, 'Dockerfile'],
    [
      'llama-server in an image has its key where it runs',
      'FROM a\nCMD ["llama-server", "-m", "/m.gguf"]',
      /^load/,
      'Dockerfile',
    ],
    [
      'a stage for each platform',
      `FROM a@${DIGEST} AS base-amd64\nFROM base-$TARGETARCH\nUSER 1`,
      /^image/,
      'Dockerfile',
    ],
    [
      'a base image that promises its user',
      `FROM gcr.io/distroless/static:nonroot@${DIGEST}`,
      /^user/,
      'Dockerfile',
    ],
    ['a switch is no secret', pod('image: a\nenv: [{name: ALLOW_EMPTY_PASSWORD, value: "yes"}]'), /^secret/],
    ['a router serves no model', pod('image: aibrix/sglang-router:1'), /^(?:model|load|provenance)/],
    [
      'a picker serves no model',
      pod('image: ghcr.io/llm-d/llm-d-router-endpoint-picker:1'),
      /^(?:model|load|provenance)/,
    ],
    ['a mock serves no model', pod('image: aibrix/vllm-mock:1'), /^(?:model|load|provenance)/],
    [
      'a packer serves no model',
      pod('image: pytorch/torchserve:1\nargs: [torch-model-archiver]'),
      /^(?:model|load)/,
    ],
    [
      'the clients of Triton serve no model',
      pod('image: nvcr.io/nvidia/tritonserver:24.01-py3-sdk'),
      /^(?:model|load|provenance)/,
    ],
    ['a worker of llama.cpp has no adapters to set', pod('image: llamacpp-worker:1'), /^load/],
    ['a job that fills a volume writes to it', filling, /^(?:model\/(?:writable|unverified)|provenance)/],
    [
      'an export of files has no user',
      'FROM a AS b\nUSER 1\nFROM scratch AS wheels\nCOPY --from=b /dist /',
      /^user/,
      'Dockerfile',
    ],
    ['a scikit-learn server asks no hub', pod('image: kserve/sklearnserver:1'), /^load/],
    [
      'a folder of the server is no model',
      pod('image: pytorch/torchserve:1\nvolumeMounts: [{name: v, mountPath: /home/model-server/tmp}]'),
      /^model/,
    ],
  ];
  for (const [why, text, rule, file] of silent)
    t.strictSame(rulesOf(await lintText(text, file), rule), [], why);
  t.strictSame(
    rulesOf(await lintText(filling), /^model/),
    ['model/mutable-source'],
    'what it fetches must be pinned',
  );
  t.strictSame(
    rulesOf(await lintText(job('ollama serve')), /^(?:model|provenance)/),
    ['model/unverified', 'model/writable'],
    'a job that answers by itself loads what nobody verified',
  );
  t.strictSame(rulesOf(await lintText('FROM scratch\nCMD ["/server"]', 'Dockerfile'), /^user/), [
    'user/root',
  ]);
  const told: [why: string, text: string, rules: string[]][] = [
    [
      'weights in an archive',
      serve('[sh, -c, "curl -O https://x.example/models/chat.tar.gz"]'),
      ['model/mutable-source'],
    ],
    [
      'the first word of vLLM',
      pod(`image: vllm/vllm-openai@${DIGEST}\nargs: [acme/chat, --port, "1"]`),
      ['model/mutable-source', 'model/unverified'],
    ],
  ];
  for (const [why, text, rules] of told) t.strictSame(rulesOf(await lintText(text), /^model/), rules, why);
  for (const image of ['$IMAGE', '\u0024{IMAGE}', 'ko://example/x'])
    t.match((await lintText(pod(`image: ${image}`))).errors, [{ code: 'INVALID_MANIFEST' }], image);
});

t.test('network policies', async (t) => {
  const held = async (spec: string, kind = 'networking.k8s.io/v1\nkind: NetworkPolicy') =>
    rulesOf(
      await lintText(
        `${pod('image: a').replace('{name: p}', '{name: p, labels: {app: x}}')}---\napiVersion: ${kind}\nmetadata: {name: n}\nspec:\n${indented(spec, 2)}\n`,
      ),
      /^egress/,
    );
  const rows: [string, string[]][] = [
    ['podSelector: {}\npolicyTypes: [Egress]', []],
    ['podSelector: {}\negress: []', []],
    ['podSelector: {}\npolicyTypes: [Ingress]', ['egress/none']],
    ['podSelector: {matchLabels: {app: y}}\negress: []', ['egress/none']],
    ['podSelector: {matchExpressions: [{key: app, operator: In, values: [x]}]}\negress: []', []],
    [
      'podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [x]}]}\negress: []',
      ['egress/none'],
    ],
    [
      'podSelector: {matchExpressions: [{key: app, operator: Exists}, {key: z, operator: DoesNotExist}]}\negress: []',
      [],
    ],
    ['podSelector: {}\negress: [{}]', ['egress/metadata', 'egress/open']],
    ['podSelector: {}\negress: [{ports: [{port: 443}]}]', ['egress/metadata', 'egress/open']],
    [
      'podSelector: {}\negress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}]}]',
      ['egress/open'],
    ],
    ['podSelector: {}\negress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 53}]}]', ['egress/dns']],
    [
      'podSelector: {}\negress: [{to: [{ipBlock: {cidr: "::/0", except: ["fd00:ec2::/32"]}}]}]',
      ['egress/open'],
    ],
    ['podSelector: {}\negress: [{to: [{ipBlock: {cidr: 169.254.169.254/32}}]}]', ['egress/metadata']],
    ['podSelector: {}\negress: [{to: [{namespaceSelector: {}}]}]', []],
  ];
  for (const [spec, expected] of rows) t.strictSame(await held(spec), expected, spec);
  const cilium: [string, string[]][] = [
    ['endpointSelector: {}\negress: [{toFQDNs: [{matchName: a.example}]}]', []],
    ['endpointSelector: {}\negress: [{toFQDNs: [{matchPattern: "*"}]}]', ['egress/metadata', 'egress/open']],
    ['endpointSelector: {}\negress: [{toEntities: [world]}]', ['egress/metadata', 'egress/open']],
    ['endpointSelector: {}\negress: [{toCIDR: [10.0.0.0/8]}]', []],
    ['endpointSelector: {}\negress: [{toPorts: [{ports: [{port: "53"}]}]}]', ['egress/dns']],
    ['endpointSelector: {}\ningress: []', ['egress/none']],
  ];
  for (const [spec, expected] of cilium)
    t.strictSame(await held(spec, 'cilium.io/v2\nkind: CiliumNetworkPolicy'), expected, spec);
});

t.test('templates, aliases, merge keys', async (t) => {
  const codes = async (text: string) =>
    (await lintText(text)).errors.map(({ code, line }) => `${code} ${line}`);
  t.strictSame(await codes('{{- if .Values.a }}\nkind: Pod\n{{- end }}\n'), ['INVALID_MANIFEST 1']);
  t.strictSame(await codes(`${pod('image: {{ .Values.image }}')}`), ['INVALID_MANIFEST 7']);
  t.strictSame(await codes(`${pod('image: "{{ .Values.image }}"')}`), ['INVALID_MANIFEST 7']);
  t.strictSame(await codes(`${pod('image: \u0024{IMAGE}')}`), ['INVALID_MANIFEST 7']);
  t.strictSame(
    await codes(pod('image: a\nargs: ["{% for m in messages %}{{ m }}{% endfor %}"]')),
    [],
    'a chat template is known',
  );
  t.strictSame(await codes(pod('image: a\nimage: b')), ['INVALID_MANIFEST 8'], 'a key twice');
  const merged = pod('image: a\nsecurityContext:\n  <<: *base', 'x-base: &base {privileged: true}');
  const first = merged
    .replace('spec:\n', 'x-base: &base {privileged: true}\nspec:\n')
    .replace(/\n {2}x-base.*\n$/, '\n');
  t.ok(rulesOf(await lintText(first)).includes('privileged/container'), 'merged');
  const alias = first.replace('\n        <<: *base', ' *base');
  t.ok(rulesOf(await lintText(alias)).includes('privileged/container'), 'aliased');
  t.ok(
    rulesOf(await lintText(pod('image: a\nsecurityContext: {privileged: yes}'))).includes(
      'privileged/container',
    ),
    'YAML 1.1',
  );
});
