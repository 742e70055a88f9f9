# Components on the real worker of stepflow-py, for programs.test.ts: prints {"port": N} when it serves.
import asyncio

import msgspec
from stepflow_py.worker import StepflowContext, StepflowServer


class Value(msgspec.Struct):
    value: int


class Result(msgspec.Struct):
    result: int


class Data(msgspec.Struct):
    data: dict


class Stored(msgspec.Struct):
    blob_id: str
    retrieved_data: dict


class Flow(msgspec.Struct):
    flow_id: str
    inputs: list


class Results(msgspec.Struct):
    results: list


server = StepflowServer()


@server.component
def double(input: Value) -> Result:
    return Result(result=input.value * 2)


@server.component
def refuse(input: Value) -> Result:
    raise ValueError("not this one")


@server.component
async def store_and_retrieve_blob(input: Data, context: StepflowContext) -> Stored:
    blob_id = await context.put_blob(input.data)
    return Stored(blob_id=blob_id, retrieved_data=await context.get_blob(blob_id))


@server.component
async def many_blobs(input: Value, context: StepflowContext) -> Result:
    ids = await asyncio.gather(*(context.put_blob({"n": n}) for n in range(input.value)))
    blobs = await asyncio.gather(*(context.get_blob(id) for id in ids))
    return Result(result=sum(blob["n"] for blob in blobs))


@server.component
async def run_each(input: Flow, context: StepflowContext) -> Results:
    values = [await context.evaluate_flow_by_id(input.flow_id, one) for one in input.inputs]
    run = await context.submit_run_by_id(input.flow_id, inputs=input.inputs, wait=True)
    return Results(results=[values, run.status, run.items.completed])


asyncio.run(server.run(host="127.0.0.1", port=0))
