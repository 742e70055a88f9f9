-- One components/execute of /double, as Stepflow's runtime sends it.
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "application/json, text/event-stream"
wrk.body = '{"jsonrpc":"2.0","id":"01a20a36-b1da-7772-9357-789ca75de702","method":"components/execute",'
  .. '"params":{"component":"/double","input":{"value":5},"attempt":1,"observability":{'
  .. '"trace_id":"01a20a36b1da777293577887c3576117","span_id":"48b86b7200000071",'
  .. '"run_id":"01a20a36-b1da-7772-9357-78715e0c93f3",'
  .. '"flow_id":"a1d46c3cdb4e5795c8d637f80daeb578ebb1a9a65dc1ed5f11f51794c3c89f3a","step_id":"s"}}}'
