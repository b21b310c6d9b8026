"""The control plane: what apps, images and sandboxes there are."""

import asyncio
import base64
import hashlib
import json
import time
import uuid

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as api

BUILDER = "2026.10"
SUCCESS = api.GenericResult(status=api.GenericResult.GENERIC_STATUS_SUCCESS)


def token():
    """A JSON Web Token that says when it ends, and nothing else."""
    parts = [{"alg": "none"}, {"exp": int(time.time()) + 3600}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "signature"])


def variables(sources, secrets):
    """The environment that secrets and literal variables make."""
    env = {}
    for source in sources:
        env.update(secrets[source.secret_id] if source.secret_id else dict(source.env.contents))
    return env


class Control:
    def __init__(self, faults, images, sandboxes):
        self.faults = faults
        self.images = images
        self.sandboxes = sandboxes
        self.apps = {}
        # The one secret of this workspace.
        self.secrets = {"st-stored": {"STORED_SECRET": "it's $secret"}}
        self.router_url = None

    async def ClientHello(self, _):
        return api.ClientHelloResponse(image_builder_version=BUILDER)

    async def AuthTokenGet(self, _):
        return api.AuthTokenGetResponse(token=token())

    async def EnvironmentGetOrCreate(self, _):
        settings = api.EnvironmentSettings(image_builder_version=BUILDER)
        metadata = api.EnvironmentMetadata(name="main", settings=settings)
        return api.EnvironmentGetOrCreateResponse(environment_id="en-main", metadata=metadata)

    async def AppGetOrCreate(self, request):
        return api.AppGetOrCreateResponse(app_id=self.apps.setdefault(request.app_name, "ap-" + uuid.uuid4().hex[:22]))

    async def SecretGetOrCreate(self, request):
        if request.deployment_name:
            if request.deployment_name != "stored":
                raise GRPCError(Status.NOT_FOUND, "Secret '{}' not found".format(request.deployment_name))
            return api.SecretGetOrCreateResponse(secret_id="st-stored")
        identity = "st-" + uuid.uuid4().hex[:22]
        self.secrets[identity] = dict(request.env_dict)
        return api.SecretGetOrCreateResponse(secret_id=identity)

    # Files that are sent for an image.

    async def MountBatchedCheckExistence(self, request):
        missing = [digest for digest in request.sha256_hex_hashes if digest not in self.images.files]
        return api.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    async def MountPutFile(self, request):
        if request.WhichOneof("data_oneof"):
            self.images.files[request.sha256_hex] = request.data
        return api.MountPutFileResponse(exists=request.sha256_hex in self.images.files)

    async def MountGetOrCreate(self, request):
        # The same files are the same mount, by which an image is known again.
        contents = "".join(sorted(file.filename + file.sha256_hex for file in request.files))
        identity = "mo-" + hashlib.sha256(contents.encode()).hexdigest()[:22]
        self.images.mounts[identity] = list(request.files)
        metadata = api.MountHandleMetadata(content_checksum_sha256_hex="0" * 64)
        return api.MountGetOrCreateResponse(mount_id=identity, handle_metadata=metadata)

    # Images.

    async def ImageGetOrCreate(self, request):
        image = self.images.find_or_add(request.image, request.force_build)
        metadata = api.ImageMetadata(image_builder_version=BUILDER)
        result = SUCCESS if image.is_built else None
        return api.ImageGetOrCreateResponse(image_id=image.id, result=result, metadata=metadata)

    async def ImageJoinStreaming(self, request):
        image = self.images.images[request.image_id]
        number = 0
        async for said in self.images.build(image):
            number += 1
            log = api.TaskLogs(data=said, file_descriptor=api.FILE_DESCRIPTOR_STDOUT, timestamp=time.time())
            yield api.ImageJoinStreamingResponse(entry_id=str(number), task_logs=[log])
        metadata = api.ImageMetadata(image_builder_version=BUILDER)
        result = SUCCESS
        if image.failure:
            failed = api.GenericResult.GENERIC_STATUS_FAILURE
            result = api.GenericResult(status=failed, exception=image.failure)
        yield api.ImageJoinStreamingResponse(result=result, metadata=metadata, eof=True)

    async def ImageFromId(self, request):
        if request.image_id not in self.images.images:
            raise GRPCError(Status.NOT_FOUND, "Image with ID {} not found".format(request.image_id))
        metadata = api.ImageMetadata(image_builder_version=BUILDER)
        return api.ImageFromIdResponse(image_id=request.image_id, metadata=metadata)

    # Sandboxes.

    async def SandboxCreateV2(self, request):
        if self.faults.strikes("fail-create"):
            raise GRPCError(Status.RESOURCE_EXHAUSTED, "no room for another sandbox")
        if self.faults.strikes("hang-create"):
            await asyncio.sleep(3600)
        await asyncio.sleep(self.faults.seconds("slow-create"))
        image = self.images.images.get(request.definition.image_id)
        env = variables(request.secret_sources, self.secrets)
        tags = {tag.tag_name: tag.tag_value for tag in request.tags}
        sandbox = await self.sandboxes.create(request.app_id, request.definition, image, env, tags)
        access = api.CommandRouterAccess(url=self.router_url, jwt=token())
        return api.SandboxCreateV2Response(
            sandbox_id=sandbox.id, task_id=sandbox.task, command_router_access=access
        )

    def _sandbox(self, identity):
        if identity not in self.sandboxes.by_id:
            raise GRPCError(Status.NOT_FOUND, "Sandbox with ID {} not found".format(identity))
        return self.sandboxes.by_id[identity]

    async def SandboxGetTaskIdV2(self, request):
        sandbox = self._sandbox(request.sandbox_id)
        if sandbox.ended.is_set():
            return api.SandboxGetTaskIdResponse(task_result=sandbox.result)
        return api.SandboxGetTaskIdResponse(task_id=sandbox.task)

    async def SandboxGetCommandRouterAccess(self, _):
        return api.SandboxGetCommandRouterAccessResponse(url=self.router_url, jwt=token())

    async def SandboxWaitV2(self, request):
        sandbox = self._sandbox(request.sandbox_id)
        if request.timeout:
            await asyncio.wait([asyncio.create_task(sandbox.ended.wait())], timeout=request.timeout)
        return api.SandboxWaitResponse(result=sandbox.result)

    async def SandboxTerminateV2(self, request):
        sandbox = self._sandbox(request.sandbox_id)
        if self.faults.strikes("fail-terminate"):
            raise GRPCError(Status.FAILED_PRECONDITION, "it does not want to go")
        before = api.GenericResult()
        before.CopyFrom(sandbox.result)
        sandbox.finish(api.GenericResult.GENERIC_STATUS_TERMINATED, 137)
        return api.SandboxTerminateResponse(existing_result=before)

    async def SandboxListV2(self, request):
        wanted = {tag.tag_name: tag.tag_value for tag in request.tags}
        found = [
            api.SandboxInfo(id=sandbox.id, created_at=sandbox.created, app_id=sandbox.app)
            for sandbox in self.sandboxes.living()
            if sandbox.app == request.app_id
            and wanted.items() <= sandbox.tags.items()
            and (not request.before_timestamp or sandbox.created < request.before_timestamp)
        ]
        return api.SandboxListResponse(sandboxes=sorted(found, key=lambda info: -info.created_at))

    async def SandboxTagsGetV2(self, request):
        tags = self._sandbox(request.sandbox_id).tags.items()
        return api.SandboxTagsGetResponse(tags=[api.SandboxTag(tag_name=name, tag_value=value) for name, value in tags])
