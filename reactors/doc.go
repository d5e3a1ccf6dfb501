// Package reactors is everything that happens without anybody asking: policies that follow the
// log, deadlines that are due, providers' notices that wait in the inbox, chains that are
// watched for money in and money out, sweeps, solvency, signed checkpoints.
//
// Each is a loop with a name, a Run that ends with its context, and a Status. All of them may run in
// any number of processes and may die at any moment: what they do is decided by the domain and
// written once by the log, whoever asks for it and however often. None of them is needed for a
// command to be accepted.
package reactors
