// nginx asks the sidecar before every request (auth_request). Tried with 1.22.
import type { ProxyOptions } from './proxy.ts';

export const nginx = ({ listen, upstream, sidecar, log }: ProxyOptions): string => `\
# Include this inside http { }, for instance as conf.d/model.conf. Needs the module auth_request (in Debian's nginx).
# One JSON line (steelyard/drift/1) for each response: \`steelyard find --logs\` reads them.
log_format steelyard escape=json '{"schema":"steelyard/drift/1","kind":"request","at":"$time_iso8601",'
  '"pod":"$hostname","request":"$request_id","status":$status,"modelSha":"$sent_http_x_model_sha",'
  '"bomId":"$sent_http_x_bom_id","adapterSha":"$sent_http_x_adapter_sha"}';

server {
  listen ${listen};
  access_log ${log} steelyard;
  # What the model server itself claims never gets out.
  proxy_hide_header x-model-sha;
  proxy_hide_header x-bom-id;
  proxy_hide_header x-adapter-sha;

  location / {
    auth_request /.steelyard;
    auth_request_set $steelyard_model $upstream_http_x_model_sha;
    auth_request_set $steelyard_bom $upstream_http_x_bom_id;
    auth_request_set $steelyard_adapter $upstream_http_x_adapter_sha;
    # "always": errors of the model server carry them too. A location with an add_header of its own must repeat these.
    add_header x-model-sha $steelyard_model always;
    add_header x-bom-id $steelyard_bom always;
    add_header x-adapter-sha $steelyard_adapter always;
    # Answers that nginx makes itself: the sidecar said no (500), or no model server answered.
    error_page 500 502 503 504 =503 @steelyard_unknown;
    proxy_intercept_errors off;
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Request-Id $request_id;
    proxy_buffering off;
    proxy_pass http://${upstream};
  }

  location = /.steelyard {
    internal;
    proxy_pass http://${sidecar}/headers;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_connect_timeout 500ms;
    proxy_read_timeout 1s;
  }

  location = /healthz {
    access_log off;
    auth_request /.steelyard;
    auth_request_set $steelyard_model $upstream_http_x_model_sha;
    auth_request_set $steelyard_bom $upstream_http_x_bom_id;
    auth_request_set $steelyard_adapter $upstream_http_x_adapter_sha;
    add_header x-model-sha $steelyard_model always;
    add_header x-bom-id $steelyard_bom always;
    add_header x-adapter-sha $steelyard_adapter always;
    error_page 500 502 503 504 =503 @steelyard_unknown;
    proxy_pass http://${sidecar}/healthz;
  }

  location @steelyard_unknown {
    add_header x-model-sha unknown always;
    add_header x-bom-id unknown always;
    default_type application/json;
    return 503 '{"status":"unknown"}\\n';
  }
}
`;
