// HAProxy cannot ask the sidecar for each request without Lua. It reads the values from a map file when it starts, and its health
// check asks the sidecar whether they are the present ones: if not, the model server counts as down. Tried with 2.6.
import { hostAndPort, type ProxyOptions } from './proxy.ts';

export const haproxy = ({ listen, upstream, sidecar, map }: ProxyOptions): string => {
  const [host, port] = hostAndPort(sidecar);
  const value = (name: string): string => `str(${name}),map(${map},unknown)`;
  const asked = ['x-model-sha', 'x-bom-id'].map((name) => `${name}=%[${value(name)}]`).join('&');
  return `\
# Two backends and a frontend; give the file to haproxy with a second -f. The map is written by
# \`steelyard provenance write --map ${map}\`; restart haproxy after a new verification.
frontend steelyard
  mode http
  bind ${listen.includes(':') ? listen : `:${listen}`}
  timeout client 600s
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  http-request set-var(txn.steelyard_model) str(unknown)
  http-request set-var(txn.steelyard_bom) str(unknown)
  # One JSON line (steelyard/drift/1) for each response: \`steelyard find --logs\` reads them.
  log stdout format raw local0
  log-format '{"schema":"steelyard/drift/1","kind":"request","at":"%[date,utime(%Y-%m-%dT%H:%M:%SZ)]","pod":"%[hostname]","request":"%ID","status":%ST,"modelSha":"%[var(txn.steelyard_model)]","bomId":"%[var(txn.steelyard_bom)]","adapterSha":"%[var(txn.steelyard_adapter)]"}'
  # Runs for haproxy's own errors too, and there the values are still \`unknown\`. Replaces what the model server claims.
  http-after-response set-header x-model-sha %[var(txn.steelyard_model)]
  http-after-response set-header x-bom-id %[var(txn.steelyard_bom)]
  http-after-response del-header x-adapter-sha
  http-after-response set-header x-adapter-sha %[var(txn.steelyard_adapter)] if { var(txn.steelyard_adapter) -m found }
  use_backend steelyard_sidecar if { path /healthz }
  default_backend steelyard_model

backend steelyard_model
  mode http
  timeout connect 2s
  timeout server 600s
  option httpchk
  http-check send meth GET uri-lf /healthz?${asked}
  http-check expect status 200
  # Only a response that came from the model server gets the values.
  http-response set-var(txn.steelyard_model) ${value('x-model-sha')}
  http-response set-var(txn.steelyard_bom) ${value('x-bom-id')}
  http-response set-var(txn.steelyard_adapter) str(x-adapter-sha),map(${map})
  server model ${upstream} check addr ${host} port ${port} inter 500ms fall 1 rise 1

backend steelyard_sidecar
  mode http
  timeout connect 500ms
  timeout server 1s
  http-response set-var(txn.steelyard_model) res.hdr(x-model-sha)
  http-response set-var(txn.steelyard_bom) res.hdr(x-bom-id)
  http-response set-var(txn.steelyard_adapter) res.hdr(x-adapter-sha)
  server sidecar ${sidecar}
`;
};
