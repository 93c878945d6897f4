#!/usr/bin/env bash
# timm 1.0.31 (torch 2.14.1): with another number of classes, weights of another network are loaded in part, in silence.
#
# create_model(..., pretrained=True, pretrained_cfg_overlay=dict(file=...)) refuses a file that lacks tensors of the
# network as long as num_classes is that of the published weights. With any other number, which is what a person has who
# starts from published weights, load_pretrained drops the classifier from the file and then sets strict=False for all
# tensors: whatever the file lacks stays random, and is said at level INFO, which is not shown.
#
# Expected: only the classifier may be missing. Seen: resnet18's weights in resnet34 are refused for 1000 classes; for 10
# classes all of them are taken but for the classifier, 96 tensors of resnet34 stay random, no error, nothing on stderr.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.14.1 torchvision==0.29.1 timm==1.0.31
"$folder/venv/bin/python" - "$folder/resnet18.safetensors" <<'PYTHON' 2> "$folder/stderr"
import sys

import timm
import torch
from safetensors.torch import save_file

path = sys.argv[1]
given = timm.create_model("resnet18").state_dict()
save_file(given, path)


def made(classes):
    overlay = {"file": path}
    return timm.create_model("resnet34", pretrained=True, num_classes=classes, pretrained_cfg_overlay=overlay)


print(f"torch {torch.__version__}, timm {timm.__version__}")
try:
    made(1000)
    raise SystemExit("1000 classes: loaded")
except RuntimeError as error:
    print(f"1000 classes: refused ({str(error).splitlines()[0]})")
state = made(10).state_dict()
lacking = [name for name in state if name not in given]
print(f"10 classes: no error; of {len(state)} tensors the file lacks {len(lacking)}, as {lacking[0]}")
assert len(lacking) > 50
PYTHON
echo "on stderr: $(wc -c < "$folder/stderr") bytes"
test ! -s "$folder/stderr"
