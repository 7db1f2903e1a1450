#!/usr/bin/env bash
# Builds kube-apiserver from the Go module proxy, for STEELYARD_KUBE_APISERVER: build.sh PROGRAM. Takes 15 minutes of two cores, once.
set -euo pipefail
[ -x "$1" ] && exit
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
kubernetes=v1.31.14 staging=v0.31.14
go mod init probe
go mod edit -require=k8s.io/kubernetes@$kubernetes
# k8s.io/kubernetes replaces its staging modules by folders; a module of one's own must say where else they are.
for module in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator \
  component-base component-helpers controller-manager cri-api cri-client csi-translation-lib dynamic-resource-allocation endpointslice \
  kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission \
  sample-apiserver sample-cli-plugin sample-controller; do
  go mod edit -replace=k8s.io/$module=k8s.io/$module@$staging
done
printf '//go:build tools\npackage tools\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n' >tools.go
go mod tidy -e
CGO_ENABLED=0 go build -p 2 -ldflags '-s -w' -o "$program" k8s.io/kubernetes/cmd/kube-apiserver
