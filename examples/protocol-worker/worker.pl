#!/usr/bin/env perl
# A worker in Perl, without any SDK: docs/reference/worker-protocol.md, literally. Needs perl, nothing else.
#
#   BATON_SOCKET=DATA/baton.sock perl worker.pl [NAME]
#   BATON_URL=http://127.0.0.1:7711 BATON_API_KEY=… perl worker.pl [NAME]
#
# Each task is a process of its own, so this one never waits for a task: it claims, reports and sends heartbeats in turn.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(WNOHANG);
use Sys::Hostname;
use Time::HiRes qw(sleep time);

# ---- The functions. Each gets the step's `with`, and returns its result or dies: with a text, or with the members of an error.

my %functions = (
  "conformance.echo" => sub { $_[0] },
  "conformance.fail" => sub { die $_[0] },
  "conformance.wait" => sub {    # until a file is there
    my ($with) = @_;
    mark("$with->{file}.begun");
    sleep 0.01 until -e $with->{file};
    return "waited";
  },
  "conformance.progress" => sub {
    my ($with, $task) = @_;
    my ($status) = call("/api/v1/tasks/$task->{task}/progress", {token => $task->{token}, progress => $with->{percent}});
    return {status => $status};
  },
);

sub mark { open my $file, ">", $_[0] or die "$_[0]: $!"; close $file }

# ---- HTTP: one request, one connection. Returns the status, the JSON of the answer, and for how many seconds the server does not
# want to be asked again; dies if nobody answers.

my $json = JSON::PP->new->utf8->allow_nonref->canonical;
my $url  = $ENV{BATON_URL} // "";

sub call {
  my ($path, $body, $method) = @_;
  my $socket =
      $url =~ m{^http://([^/]+)} ? IO::Socket::INET->new(PeerAddr => $1)
    : $ENV{BATON_SOCKET}         ? IO::Socket::UNIX->new(Peer => $ENV{BATON_SOCKET})
    :                              die "say where the server is with BATON_SOCKET or BATON_URL\n";
  die "no connection: $!\n" unless $socket;
  my $host = $url =~ m{^http://([^/]+)} ? $1 : "baton";
  my $key  = $ENV{BATON_API_KEY} ? "Authorization: Bearer $ENV{BATON_API_KEY}\r\n" : "";
  my $text = $json->encode($body // {});
  print $socket(($method // "POST") . " $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n$key"
      . "Content-Type: application/json\r\nContent-Length: " . length($text) . "\r\n\r\n$text");
  my $answer = do { local $/; <$socket> } // "";
  my ($head, $content) = split /\r\n\r\n/, $answer, 2;
  my ($status) = ($head // "") =~ m{^HTTP/1\.1 (\d+)};
  my ($length) = ($head // "") =~ m{^Content-Length: (\d+)}mi;
  die "the answer was cut off\n" unless $status && defined $length && length($content) == $length;
  my ($after) = $head =~ m{^Retry-After: (\d+)}mi;
  return ($status, $json->decode($content), $after // 0);
}

# Repeats a call until somebody answers: every call may be repeated.
sub persist {
  my ($path, $body, $method) = @_;
  my $pause = 0.05;
  while (1) {
    my ($status, $answer, $after) = eval { call($path, $body, $method) };
    return $answer if defined $status && $status < 400;
    die "$path: $answer->{detail}\n" if defined $status && $status != 429 && $status < 500;
    sleep($after ? ($after < 60 ? $after : 60) : $pause * (0.5 + rand(0.5)));
    $pause = $pause < 1 ? $pause * 2 : 2;
  }
}

# ---- The worker

my $name  = $ARGV[0] // "perl-" . (hostname() =~ s/[^\w.-]/-/gr) . "-$$-" . int(rand(1e6));
my $path  = "/api/v1/workers/$name";
my %offer = (protocol => 1, functions => [sort keys %functions]);
my $most  = 20;       # tasks at a time
my %running;          # process id => {task, pipe}
my @reports;          # not answered yet
my $draining = 0;

$SIG{TERM} = $SIG{INT} = sub { $draining = 1 };
$SIG{PIPE} = "IGNORE";

sub begin {
  my ($task) = @_;
  pipe(my $from, my $to) or die "pipe: $!";
  my $pid = fork() // die "fork: $!";
  if ($pid) {
    close $to;
    $running{$pid} = {task => $task, from => $from, text => ""};
    $from->blocking(0);
    return;
  }
  $SIG{TERM} = sub { die {type => "cancelled", message => "asked to end"} };
  $SIG{INT}  = "IGNORE";
  my $result = eval { $functions{$task->{spec}{function}}->($task->{spec}{with}, $task) };
  my $error  = $@;
  my %report = $error ? (status => "failed", error => ref $error ? $error : {type => "died", message => "$error"})
                      : (status => "completed", result => $result);
  print $to $json->encode(\%report);
  close $to;
  POSIX::_exit(0);
}

# What the processes that have ended said; the pipes are read all the time, so that a long result does not block.
sub reap {
  for my $pid (keys %running) {
    my $one = $running{$pid};
    1 while sysread $one->{from}, $one->{text}, 65536, length $one->{text};
    next unless waitpid($pid, WNOHANG) == $pid;
    my $code = $?;
    1 while sysread $one->{from}, $one->{text}, 65536, length $one->{text};
    my $report = eval { $json->decode($one->{text}) }
      // {status => "failed", error => {type => $code & 127 ? "signal" : "exit", message => "its process ended with $code"}};
    push @reports, {task => $one->{task}{task}, token => $one->{task}{token}, %$report};
    delete $running{$pid};
  }
}

sub tokens { ((map { $_->{task}{token} } values %running), (map { $_->{token} } @reports)) }

sub heartbeat {
  my ($status, $answer) = eval { call("$path/heartbeat", {running => [tokens()]}) };
  return unless defined $status && $status == 200;    # the next one comes soon
  $draining = 1 if $answer->{drain};
  for my $stop (@{$answer->{stop}}) {
    for my $pid (keys %running) {
      kill $stop->{mode} eq "hard" ? "KILL" : "TERM", $pid if $running{$pid}{task}{token} eq $stop->{token};
    }
  }
}

my $lease = persist("$path/register", \%offer)->{lease};
my $every = $lease / 3 < 1 ? $lease / 3 : 1;    # often enough to hear of a cancel soon
my $beat  = time;
until ($draining && !%running && !@reports) {
  reap();
  if (time - $beat >= $every) {
    heartbeat();
    $beat = time;
  }
  my @told = splice @{[@reports]}, 0, 1000;
  my $room = $draining ? 0 : $most - keys %running;
  if (@told && !$room) {
    persist("$path/report", {reports => \@told});
  } elsif (@told || $room) {
    # A claim waits only while nothing runs, and no longer than until the next heartbeat; one with reports never does.
    my $answer = persist("$path/claim", {%offer, max => $room, wait => %running || @told ? 0 : 1, reports => \@told,
      running => [tokens()]});
    begin($_) for @{$answer->{tasks}};
  }
  splice @reports, 0, scalar @told;    # answered: accepted, or refused because another attempt has the task
  sleep 0.01 if %running && !@reports;
}
persist($path, undef, "DELETE");
