"""Our tests of responses, with older versions of urllib3."""
