// Envoy asks the sidecar before every request, by its Lua filter: what ext_authz adds to a response it adds to Envoy's own errors
// too, and so would vouch for a model server that is dead. Tried with 1.40.
import { hostAndPort, type ProxyOptions } from './proxy.ts';

export const envoy = ({ listen, upstream, sidecar }: ProxyOptions): string => {
  const [host, port] = hostAndPort(listen);
  return `\
# A static configuration; its name must end in .yaml. Merge listener and clusters into your own.
static_resources:
  listeners:
    - name: steelyard
      address: {socket_address: {address: "${host}", port_value: ${port}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: steelyard
                # One JSON line (steelyard/drift/1) for each response: \`steelyard find --logs\` reads them.
                access_log:
                  - name: envoy.access_loggers.stdout
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
                      log_format:
                        json_format:
                          schema: steelyard/drift/1
                          kind: request
                          at: "%START_TIME(%Y-%m-%dT%H:%M:%SZ)%"
                          pod: "%HOSTNAME%"
                          request: "%REQ(X-REQUEST-ID)%"
                          status: "%RESPONSE_CODE%"
                          modelSha: "%RESP(X-MODEL-SHA)%"
                          bomId: "%RESP(X-BOM-ID)%"
                          adapterSha: "%RESP(X-ADAPTER-SHA)%"
                route_config:
                  virtual_hosts:
                    - name: model
                      domains: ["*"]
                      routes:
                        - {match: {path: /healthz}, route: {cluster: steelyard_sidecar}}
                        - {match: {prefix: /}, route: {cluster: model, timeout: 600s}}
                http_filters:
                  - name: envoy.filters.http.lua
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
                      default_source_code:
                        inline_string: |
${indented(LUA, 26)}
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
${cluster('steelyard_sidecar', sidecar)}
${cluster('model', upstream)}
`;
};

/** Envoy's router marks every response of an upstream with its time; its own answers have no such mark. */
const LUA = `\
local names = {"x-model-sha", "x-bom-id", "x-adapter-sha"}
function envoy_on_request(handle)
  local ask = {[":method"] = "GET", [":path"] = "/headers", [":authority"] = "sidecar"}
  local answer = handle:httpCall("steelyard_sidecar", ask, "", 1000)
  if answer[":status"] ~= "204" then
    handle:respond({[":status"] = "503", ["content-type"] = "application/json"}, '{"status":"unknown"}')
    return
  end
  for _, name in ipairs(names) do
    if answer[name] then handle:streamInfo():dynamicMetadata():set("steelyard", name, answer[name]) end
  end
end
function envoy_on_response(handle)
  local known = handle:streamInfo():dynamicMetadata():get("steelyard") or {}
  local answered = handle:headers():get("x-envoy-upstream-service-time") ~= nil
  for _, name in ipairs(names) do
    -- What the model server itself claims never gets out.
    handle:headers():remove(name)
    if answered and known[name] then
      handle:headers():add(name, known[name])
    elseif name ~= "x-adapter-sha" then
      handle:headers():add(name, "unknown")
    end
  end
end`;

function cluster(name: string, address: string): string {
  const [host, port] = hostAndPort(address);
  return `\
    - name: ${name}
      type: STRICT_DNS
      connect_timeout: 0.5s
      load_assignment:
        cluster_name: ${name}
        endpoints:
          - lb_endpoints:
              - {endpoint: {address: {socket_address: {address: "${host}", port_value: ${port}}}}}`;
}

const indented = (text: string, depth: number): string => text.replace(/^/gm, ' '.repeat(depth));
