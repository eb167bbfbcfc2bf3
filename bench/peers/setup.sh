#!/usr/bin/env bash
# Install the peers of the benchmarks, each in its own environment: setup.sh [NAME…]
#
#   tfrs        TensorFlow 2.15, TensorFlow Recommenders 0.7.7, scann 1.3.0      2 GB
#   scann       Google's wheel, scann 1.4.2                                      60 MB
#   scann-core  a derived build of ScaNN with its AVX2 and AVX-512 kernels on    40 MB
#   ann         faiss-cpu and hnswlib                                            60 MB
#   node-ann    hnswlib-node (compiled when installed) and usearch               60 MB
#   node24      Node 24, whose WebAssembly has relaxed SIMD, for our own index     120 MB
#   photographs OpenCV and packages with photographs, from which SIFT descriptors are made    300 MB
#   implicit    implicit's ALS                                                   250 MB
#   judges      tritonclient, a client of the Open Inference Protocol            60 MB
#
# Without names it installs all except judges. $PEERS_HOME is the folder (default ~/.cache/shortlist-peers), and $PYTHON the
# interpreter (TensorFlow 2.15 needs 3.9 to 3.11). Installed peers are kept. If a peer cannot be installed, the others are
# still installed and the exit code is 1.
set -uo pipefail

home="${PEERS_HOME:-$HOME/.cache/shortlist-peers}"
python="${PYTHON:-python3}"
failed=()

# The file `installed` holds the list of packages. It is written last, so that an incomplete environment has none.
complete() { [ -f "$home/$1/installed" ] && [ "$(cat "$home/$1/installed")" = "${*:2}" ]; }

python_peer() {
  local name=$1 && shift
  complete "$name" "$@" && return 0
  [ -x "$home/$name/bin/python" ] || "$python" -m venv "$home/$name" || return 1
  "$home/$name/bin/python" -m pip install --quiet --disable-pip-version-check "$@" || return 1
  echo "$*" > "$home/$name/installed"
}

node_peer() {
  local name=$1 && shift
  complete "$name" "$@" && return 0
  mkdir -p "$home/$name" && echo '{ "private": true }' > "$home/$name/package.json" || return 1
  (cd "$home/$name" && npm install --no-audit --no-fund --loglevel=error "$@") || return 1
  echo "$*" > "$home/$name/installed"
}

install() {
  case "$1" in
    tfrs)       python_peer tfrs 'tensorflow==2.15.1' 'tensorflow-recommenders==0.7.7' 'scann==1.3.0' ;;
    scann)      python_peer scann 'scann==1.4.2' numpy ;;
    scann-core) python_peer scann-core 'scann-core==0.2.1' numpy ;;
    ann)        python_peer ann 'faiss-cpu==1.15.1' 'hnswlib==0.8.0' numpy ;;
    node-ann)   node_peer node-ann 'hnswlib-node@3.0.0' 'usearch@2.26.2' ;;
    node24)     node_peer node24 'node@24' ;;
    photographs) python_peer photographs 'opencv-python-headless' 'scikit-image' 'scikit-learn' numpy ;;
    implicit)   python_peer implicit 'implicit==0.7.3' numpy ;;
    judges)     python_peer judges 'tritonclient[http,grpc]==2.73.0' ;;
    *) echo "unknown peer: $1" >&2; return 1 ;;
  esac
}

[ $# -gt 0 ] || set -- tfrs scann scann-core ann node-ann node24 implicit
mkdir -p "$home"
for peer in "$@"; do
  if install "$peer"; then echo "$peer: ready in $home/$peer"; else echo "$peer: NOT installed" >&2; failed+=("$peer"); fi
done
[ ${#failed[@]} -eq 0 ]
