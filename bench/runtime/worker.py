# The real worker with the components of bench:runtime: python worker.py <port>
import asyncio
import sys
from typing import Any

import msgspec
from stepflow_py.worker import StepflowContext, StepflowServer


class Value(msgspec.Struct):
    value: int


class Result(msgspec.Struct):
    result: int


class Data(msgspec.Struct):
    data: Any


class Kept(msgspec.Struct):
    blob_id: str
    retrieved_data: Any


server = StepflowServer()


@server.component
def double(input: Value) -> Result:
    return Result(result=input.value * 2)


@server.component
async def store_and_retrieve_blob(input: Data, context: StepflowContext) -> Kept:
    blob_id = await context.put_blob(input.data)
    return Kept(blob_id=blob_id, retrieved_data=await context.get_blob(blob_id))


asyncio.run(server.run(host="127.0.0.1", port=int(sys.argv[1])))
