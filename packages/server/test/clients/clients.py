"""Real clients ask a server: tritonclient over HTTP and gRPC, TF Serving's public stubs, gRPC health and reflection.

    python clients.py HTTP_PORT GRPC_PORT NAME...    (the model `films` of tiny-bundle.ts)

Prints "ok NAME" for each client that passed; any failure ends it.
"""

import sys

HTTP, GRPC = (f"127.0.0.1:{port}" for port in sys.argv[1:3])


def triton(module, address):
    import numpy as np

    client = module.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("films")
    assert client.is_model_ready("films", "1")
    users = module.InferInput("query", [2], "BYTES")
    users.set_data_from_numpy(np.array([b"u1", b"u2"], dtype=np.object_))
    answer = client.infer("films", [users], request_id="7", parameters={"k": 3})
    identifiers, scores = answer.as_numpy("identifiers"), answer.as_numpy("scores")
    assert identifiers.shape == (2, 3) and scores.shape == (2, 3) and scores.dtype == np.float32
    assert identifiers[0][0].startswith(b"film")
    assert (np.diff(scores) <= 0).all()
    vector = module.InferInput("embedding", [1, 4], "FP32")
    vector.set_data_from_numpy(np.array([[1, 0, 0, 0]], dtype=np.float32))
    wanted = [module.InferRequestedOutput("identifiers")]
    searched = client.infer("films", [vector], outputs=wanted, model_version="1")
    assert searched.as_numpy("identifiers").shape == (1, 5) and searched.as_numpy("scores") is None
    embedded = client.infer("films", [users], outputs=[module.InferRequestedOutput("embedding")])
    assert embedded.as_numpy("embedding").shape == (2, 4)
    try:
        client.infer("nobody", [users])
        raise AssertionError("a model nobody knows was answered")
    except module.InferenceServerException as error:
        assert "nobody" in str(error), error
    return client


def triton_http():
    import tritonclient.http as module

    client = triton(module, HTTP)
    assert client.get_server_metadata()["name"] == "shortlist"
    assert client.get_model_metadata("films")["inputs"][0]["name"] == "query"
    assert client.get_model_config("films")["max_batch_size"] > 0
    assert client.get_model_repository_index()[0]["state"] == "READY"
    assert client.get_inference_statistics("films")["model_stats"][0]["inference_count"] > 0


def triton_http_plain():
    """The same client with the binary extension turned off."""
    import numpy as np
    import tritonclient.http as module

    client = module.InferenceServerClient(HTTP)
    users = module.InferInput("query", [1], "BYTES")
    users.set_data_from_numpy(np.array(["u1"], dtype=np.object_), binary_data=False)
    wanted = [module.InferRequestedOutput("scores", binary_data=False)]
    assert client.infer("films", [users], outputs=wanted).as_numpy("scores").shape == (1, 5)


def triton_grpc():
    import tritonclient.grpc as module

    client = triton(module, GRPC)
    assert client.get_server_metadata().name == "shortlist"
    assert client.get_model_metadata("films").inputs[0].name == "query"
    assert client.get_model_config("films").config.max_batch_size > 0
    assert client.get_model_repository_index().models[0].state == "READY"
    assert client.get_inference_statistics("films").model_stats[0].inference_count > 0
    client.unload_model("films")
    assert not client.is_server_ready()
    client.load_model("films")
    assert client.is_server_ready()


def triton_grpc_stream():
    """Requests of one stream: answers in their order, a refusal among them, then a stream that ends at its first."""
    import queue

    import numpy as np
    import tritonclient.grpc as module

    answers = queue.Queue()
    callback = lambda result, error: answers.put((result, error))
    users = module.InferInput("query", [1], "BYTES")
    users.set_data_from_numpy(np.array([b"u1"], dtype=np.object_))
    client = module.InferenceServerClient(GRPC)
    client.start_stream(callback)
    for i in range(50):
        client.async_stream_infer("nobody" if i == 20 else "films", [users], request_id=str(i), parameters={"k": 3})
    client.stop_stream()
    got = [answers.get(timeout=60) for _ in range(50)]
    assert "nobody" in str(got[20][1]) and got[20][0] is None
    for i, (result, error) in enumerate(got):
        if i == 20:
            continue
        assert error is None and result.get_response().id == str(i)
        assert result.get_response().parameters["triton_final_response"].bool_param
        assert result.as_numpy("identifiers").shape == (1, 3)
    assert answers.empty()

    client.start_stream(callback, headers={"triton_grpc_error": "true"})
    client.async_stream_infer("nobody", [users])
    assert answers.get(timeout=60)[1].status() == "StatusCode.NOT_FOUND"
    client.stop_stream()


def tensorflow_serving():
    import grpc
    from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )

    channel = grpc.insecure_channel(GRPC)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "films"
    request.inputs["query"].CopyFrom(
        tensor_pb2.TensorProto(
            dtype=types_pb2.DT_STRING,
            tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)]),
            string_val=[b"u1"],
        )
    )
    answer = stub.Predict(request, 60.0)
    assert len(answer.outputs["identifiers"].string_val) == 5 and len(answer.outputs["scores"].float_val) == 5
    assert answer.model_spec.version.value == 1
    metadata = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    metadata.model_spec.name = "films"
    packed = stub.GetModelMetadata(metadata, 60.0).metadata["signature_def"]
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert packed.Unpack(signatures) and "serving_default" in signatures.signature_def
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "films"
    states = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, 60.0).model_version_status
    assert [(state.version, state.state) for state in states] == [(1, 30)]


def health_and_reflection():
    import grpc
    from google.protobuf.descriptor_pool import DescriptorPool
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    channel = grpc.insecure_channel(GRPC)
    checked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=""))
    assert checked.status == health_pb2.HealthCheckResponse.SERVING
    database = ProtoReflectionDescriptorDatabase(channel)
    services = database.get_services()
    assert "tensorflow.serving.PredictionService" in services and "inference.GRPCInferenceService" in services
    # A pool of its own: nothing is known but what reflection says.
    pool = DescriptorPool(database)
    seen = set()

    def resolve(message):
        if message.full_name in seen:
            return
        seen.add(message.full_name)
        for field in message.fields:
            if field.message_type is not None:
                resolve(field.message_type)

    for service in services:
        for method in pool.FindServiceByName(service).methods:
            resolve(method.input_type)
            resolve(method.output_type)
    assert "google.protobuf.Int64Value" in seen and "tensorflow.TensorProto" in seen and len(seen) > 50, seen
    assert pool.FindMessageTypeByName("google.protobuf.Int64Value").file.name == "google/protobuf/wrappers.proto"


for name in sys.argv[3:]:
    globals()[name]()
    print("ok", name)
