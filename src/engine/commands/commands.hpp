// One function per command, each in a file of its own.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/command.hpp"

namespace baton::engine::commands {

void decide(State&, const model::SubmitRun&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ApplyWorkflow&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::MakeDraft&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::CancelRun&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ClaimTasks&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::Heartbeat&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ReportAttempt&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ReleaseAttempt&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::LoseWorker&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::AddTasks&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ReportProgress&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::RegisterResource&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ReleaseResource&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::CleanResource&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::StartShard&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::Tick&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::DiscardDeadLetters&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ForgetResults&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::RemoveRuns&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::FilesDeleted&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::PauseCommand&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ResumeCommand&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::RecoverRun&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::DecideTask&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ChangeRun&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::Explain&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::AskSurvey&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::ForceBreaker&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::SetLimit&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::SetQueue&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::SetRoute&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::CreateNamespace&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::DeleteNamespace&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::CloseShard&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::CreateKey&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::RevokeKey&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::NoteKeyUse&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::SetSecret&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::DeleteSecret&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::NoteChange&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::Continue&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::SendSignal&, model::ReplyTo, const Moment&, Effects&);
void decide(State&, const model::AnswerApproval&, model::ReplyTo, const Moment&, Effects&);

// As StartShard, for the helpers of a run that was over when it was loaded. Those that are known to go on
// stay as they are.
void take_up_helpers(State& state, Run& run, const Moment& moment, Effects& effects);

}  // namespace baton::engine::commands
