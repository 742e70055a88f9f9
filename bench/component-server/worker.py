# The real worker with `double`, for bench/component-server/double.ts: python worker.py <port>
import asyncio
import sys

import msgspec
from stepflow_py.worker import StepflowServer


class Value(msgspec.Struct):
    value: int


class Result(msgspec.Struct):
    result: int


server = StepflowServer()


@server.component
def double(input: Value) -> Result:
    return Result(result=input.value * 2)


asyncio.run(server.run(host="127.0.0.1", port=int(sys.argv[1])))
