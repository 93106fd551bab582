# shellcheck shell=bash disable=SC2154
source=/usr/share/icons/Adwaita
example dataset-build 0 dataset-build/workflow.yaml --input "source=$source" --input "out=$work/dataset"
passed dataset-build dataset-build/check.py "$source" "$work/dataset" "$work/dataset-build.json"

dataset-build/make_hostile_folder.py "$work/hostile"
LC_ALL=C TZ=Asia/Kathmandu example dataset-hostile 0 dataset-build/workflow.yaml --input "source=$work/hostile" --input "out=$work/from hostile" \
  --input batch_size=7
passed dataset-hostile dataset-build/check.py "$work/hostile" "$work/from hostile" "$work/dataset-hostile.json"

mkdir "$work/few"
cp "$work"/hostile/p0*.png "$work/few"
example dataset-too-small 3 dataset-build/workflow.yaml --input "source=$work/few" --input "out=$work/from few"
passed dataset-too-small grep -o 'needs at least 50' "$work/from few/report.json"
passed dataset-too-small grep -o 'needs at least 50' "$work/dataset-too-small.json"
