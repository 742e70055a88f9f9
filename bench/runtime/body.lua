-- POSTs the body of the environment variable BODY as JSON.
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "application/json, text/event-stream"
wrk.body = os.getenv("BODY")
