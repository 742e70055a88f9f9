# Every method of stepflow-py's generated API client against the runtime at argv[1], for client.test.ts: prints what
# each gave, one JSON object, with `raised <status>` where it raised.
import asyncio
import json
import sys

from stepflow_py import StepflowClient
from stepflow_py.api import ApiClient, Configuration
from stepflow_py.api.api import ComponentApi, FlowApi, HealthApi, RunApi
from stepflow_py.api.exceptions import ApiException
from stepflow_py.api.models.create_run_request import CreateRunRequest
from stepflow_py.api.models.flow import Flow
from stepflow_py.api.models.store_flow_request import StoreFlowRequest
from stepflow_py.api.models.workflow_overrides import WorkflowOverrides
from stepflow_py.worker.flow_builder import FlowBuilder

def echo():
    """A flow with expressions, built as the SDK's users do: the client cannot read expressions from plain JSON."""
    builder = FlowBuilder(name="echo")
    step = builder.add_step(id="s", component="/create_messages", input_data={"user_prompt": "hi"})
    builder.set_output({"messages": step["messages"]})
    return builder.build()


async def attempt(call):
    try:
        return (await call).to_dict()
    except ApiException as error:
        return f"raised {error.status}"
    except AttributeError:
        return None


async def main(url):
    out = {}
    async with ApiClient(Configuration(host=f"{url}/api/v1")) as api:
        flows, runs = FlowApi(api), RunApi(api)
        out["health_check"] = await attempt(HealthApi(api).health_check())
        out["health_check error"] = await attempt(HealthApi(api).health_check(error="stack"))
        out["list_components"] = await attempt(ComponentApi(api).list_components(include_schemas=True))
        out["store_flow"] = await attempt(flows.store_flow(StoreFlowRequest(flow=echo())))
        plain = StoreFlowRequest(flow=Flow.from_dict({"name": "plain", "description": "d"}))
        out["store_flow plain"] = await attempt(flows.store_flow(plain))
        dry = StoreFlowRequest(flow=Flow.from_dict({"name": "dry"}), dry_run=True)
        out["store_flow dry"] = await attempt(flows.store_flow(dry))
        plain_id = out["store_flow plain"]["flowId"]
        out["get_flow"] = await attempt(flows.get_flow(plain_id))
        out["get_flow unknown"] = await attempt(flows.get_flow("0" * 64))
        flow_id = out["store_flow"]["flowId"]
        out["create_run"] = await attempt(runs.create_run(CreateRunRequest(flowId=flow_id, input=[{}])))
        many = CreateRunRequest(flowId=flow_id, input=[{}, {}], maxConcurrency=2)
        out["create_run many"] = await attempt(runs.create_run(many))
        patch = {"steps": {"s": {"value": {"input": {"user_prompt": "other"}}}}}
        overridden = CreateRunRequest(flowId=flow_id, input=[{}], overrides=WorkflowOverrides.from_dict(patch))
        out["create_run overrides"] = await attempt(runs.create_run(overridden))
        out["create_run unknown"] = await attempt(runs.create_run(CreateRunRequest(flowId="x", input=[{}])))
        plain_run = await attempt(runs.create_run(CreateRunRequest(flowId=plain_id, input=[{}])))
        run_id = out["create_run many"]["runId"]
        out["get_run"] = await attempt(runs.get_run(run_id))
        out["get_run_items"] = await attempt(runs.get_run_items(run_id))
        out["get_run_steps"] = await attempt(runs.get_run_steps(run_id))
        out["get_run_flow"] = await attempt(runs.get_run_flow(plain_run["runId"]))
        out["list_runs"] = await attempt(runs.list_runs(flow_name="echo", limit=2))
        out["cancel_run"] = await attempt(runs.cancel_run(run_id))
        out["delete_run"] = await attempt(runs.delete_run(run_id))
        out["get_run deleted"] = await attempt(runs.get_run(run_id))
        out["delete_flow"] = await attempt(flows.delete_flow(plain_id))
        out["get_flow deleted"] = await attempt(flows.get_flow(plain_id))
    async with StepflowClient.connect(url) as client:
        out["is_healthy"] = await client.is_healthy()
        stored = await client.store_flow(echo())
        out["run"] = (await client.run(stored.flow_id, {"a": 1})).to_dict()
    print(json.dumps(out, default=str))


asyncio.run(main(sys.argv[1]))
