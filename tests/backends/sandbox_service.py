"""A small HTTP sandbox service, for the example provider that speaks to one: each sandbox is a directory, commands run in
DIRECTORY. It writes its port and then every request to standard output. See plugins/examples/http-sandboxes/README.md.

    sandbox_service.py DIRECTORY [--token TOKEN] [--full N]     # the first N creations find no room
"""

import argparse
import base64
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading


class Service(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, arguments):
        super().__init__(("127.0.0.1", 0), Handler)
        self.arguments = arguments
        self.lock = threading.Lock()
        self.sandboxes = {}
        self.running = {}
        self.created = 0
        self.full = arguments.full


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.respond("POST", body)

    def do_DELETE(self):
        self.respond("DELETE", None)

    def respond(self, method, body):
        print(method, self.path, flush=True)
        if self.server.arguments.token and self.headers["authorization"] != "Bearer " + self.server.arguments.token:
            return self.answer(401, {"error": "who are you?"})
        parts = self.path.strip("/").split("/")
        if (method, parts) == ("POST", ["sandboxes"]):
            return self.create(body)
        if parts[0] != "sandboxes" or parts[1] not in self.server.sandboxes:
            return self.answer(404, {"error": "no such sandbox"})
        if method == "DELETE" and len(parts) == 2:
            return self.destroy(parts[1])
        if len(parts) == 4 and parts[2] == "execs":
            return self.run(parts[1], parts[3], body) if method == "POST" else self.cancel(parts[3])
        return self.answer(400, {"error": "what?"})

    def create(self, body):
        with self.server.lock:
            if self.server.full > 0:
                self.server.full -= 1
                return self.answer(503, {"error": "no room"})
            self.server.created += 1
            name = "sb-{}".format(self.server.created)
            scratch = tempfile.mkdtemp(prefix="sandbox-service-")
            self.server.sandboxes[name] = (scratch, body["env"])
        return self.answer(201, {"id": name, "scratch": scratch})

    def destroy(self, name):
        with self.server.lock:
            scratch, _ = self.server.sandboxes.pop(name)
        shutil.rmtree(scratch)
        return self.answer(200, {})

    def cancel(self, exec_id):
        process = self.server.running.get(exec_id)
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
        return self.answer(200, {})

    def run(self, name, exec_id, body):
        environment = {**os.environ, **self.server.sandboxes[name][1], **body["env"]}
        try:
            process = subprocess.Popen(
                body["argv"],
                cwd=body["cwd"] or self.server.arguments.directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return self.answer(422, {"error": str(error)})
        self.server.running[exec_id] = process
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        lock = threading.Lock()
        pumps = [
            threading.Thread(target=self.pump, args=(getattr(process, stream), stream, lock))
            for stream in ("stdout", "stderr")
        ]
        for pump in pumps:
            pump.start()
        try:
            process.stdin.write(base64.b64decode(body["stdin"]))
            process.stdin.close()
        except BrokenPipeError:
            pass
        for pump in pumps:
            pump.join()
        code = process.wait()
        self.say({"exit": code} if code >= 0 else {"signal": -code}, lock)
        self.chunk(b"", lock)
        return None

    def pump(self, stream, name, lock):
        while True:
            data = stream.read1(65536)
            if not data:
                return
            self.say({name: base64.b64encode(data).decode()}, lock)

    def say(self, what, lock):
        self.chunk(json.dumps(what).encode() + b"\n", lock)

    def chunk(self, data, lock):
        try:
            with lock:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        except OSError:
            pass  # Nobody listens any more: whoever went away cancels.

    def answer(self, status, what):
        data = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--token")
    parser.add_argument("--full", type=int, default=0)
    service = Service(parser.parse_args())
    print(service.server_address[1], flush=True)
    service.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
