-- What the runtime sends for one call.
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "application/json, text/event-stream"
wrk.body = '{"jsonrpc":"2.0","id":"01a20a36-b1da-7772-9357-789ca75de702","method":"components/execute","params":{"component":"/double","input":{"value":5},"attempt":1,"observability":{"trace_id":"01a20a36b1da777293577887c3576117","span_id":"48b86b7200000071","run_id":"01a20a36-b1da-7772-9357-78715e0c93f3","flow_id":"d619","step_id":"s"}}}'
