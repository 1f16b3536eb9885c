# madeby's image with Ray, for the machines of a cluster. Build with:
#   docker build -t madeby . && docker build -t madeby-ray -f deploy/ray.Dockerfile .
# and for machines with NVIDIA GPUs:
#   docker build -t madeby-ray-gpu --build-arg ONNXRUNTIME='onnxruntime-gpu[cuda,cudnn]' -f deploy/ray.Dockerfile .
FROM madeby
ARG ONNXRUNTIME=onnxruntime
USER root
# with wget KubeRay asks after the health of its pods
RUN apt-get update \
 && apt-get install --yes --no-install-recommends wget \
 && rm -rf /var/lib/apt/lists/* \
 && python -m venv /tmp/pip \
 && if [ "$ONNXRUNTIME" != onnxruntime ]; then \
      /tmp/pip/bin/python -m pip --python /opt/madeby/bin/python uninstall --yes onnxruntime; \
    fi \
 && /tmp/pip/bin/python -m pip --python /opt/madeby/bin/python install --no-cache-dir \
      'ray[client,default]==2.60.0' "$ONNXRUNTIME" \
 && rm -rf /tmp/pip
ENV RAY_USAGE_STATS_ENABLED=0
USER 10001:10001
HEALTHCHECK NONE
CMD ["bash"]
