# shellcheck shell=bash disable=SC2154
finds espeak-ng sox apertium
for speech in spanish english; do
  example "audio-$speech" 0 audio-pipeline/workflow.yaml --input "speech=$speech" --input "store=$work/transcripts.db"
  passed "audio-$speech" audio-pipeline/check.py "$work/transcripts.db" "$work/audio-$speech.json" "audio-pipeline/speech/$speech.txt"
done
