"""The engine for many machines: actors of a Ray cluster that run the function which threads run on one machine.

Ray's plain actors are used, not Ray Data: that cannot be driven through ``ray://`` addresses, and it reads what a
machine had again when that machine is lost, which standard input and the files of this machine do not allow.
"""
